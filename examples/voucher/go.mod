module voucher

go 1.24
