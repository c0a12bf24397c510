//! What the specification and clients publish.

/// A challenge, and what a client made of it.
pub(super) struct Vector {
    pub(super) pubkey: &'static str,
    pub(super) challenge: &'static str,
    pub(super) signature: &'static str,
}

/// "Test Vectors" of the specification without channel binding; autobahn-python has the same.
pub(super) const SPECIFICATION: [Vector; 3] = [
    Vector {
        pubkey: "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d",
        challenge: "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        signature: concat!(
            "b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0c",
            "ae80a357331bfc5cc9fb71081464e6e75013517c2cf067ad566a6b7b728e5d03",
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        ),
    },
    Vector {
        pubkey: "6ed32739ff04a6074044ff0b0e3bfc7c856bc9d5f1d25efc57363bda0af3a8b0",
        challenge: "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
        signature: concat!(
            "d4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372",
            "190374886a70207b042294af5bd64ce725cd8dceb344e6d11c09d1aaaf4d660f",
            "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d"
        ),
    },
    Vector {
        pubkey: "28e11f427b82b9a625ee7ac89a7d29326b505f2dc11dd88c1245f83b6da79a85",
        challenge: "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
        signature: concat!(
            "7beb282184baadd08f166f16dd683b39cab53816ed81e6955def951cb2ddad1e",
            "c184e206746fd82bda075af03711d3d5658fc84a76196b0fa8d1ebc92ef9f30b",
            "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2"
        ),
    },
];

/// The private keys of these, in their order.
pub(super) const SPECIFICATION_SEEDS: [&str; 3] = [
    "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
    "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
    "6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
];

/// The same keys and challenges with channel binding.
pub(super) const SPECIFICATION_BOUND: [Vector; 3] = [
    Vector {
        signature: concat!(
            "9b6f41540c9b95b4b7b281c3042fa9c54cef43c842d62ea3fd6030fcb66e70b3",
            "e80d49d44c29d1635da9348d02ec93f3ed1ef227dfb59a07b580095c2b82f80f",
            "9d16ca518aa0c2b707f2b2a609edeca73bca8dd59817a633f35574ac6fd80d00"
        ),
        ..SPECIFICATION[0]
    },
    Vector {
        signature: concat!(
            "305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a42",
            "7c3015599d83ca28b4c652333920223844ef0725eb5dc2febfd6af7677b73f01",
            "d0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9282"
        ),
        ..SPECIFICATION[1]
    },
    Vector {
        signature: concat!(
            "ee3c7644fd8070532bc1fde3d70d742267da545d8c8f03e63bda63f1ad4214f4",
            "d2c4bfdb4eb9526def42deeb7e31602a6ff99eba893e0a4ad4d45892ca75e608",
            "d2b75e24a189a7f78ca776ba36fc53f6c3e31c32f251f2c524f0a44202f2902d"
        ),
        ..SPECIFICATION[2]
    },
];

pub(super) const SPECIFICATION_CHANNEL: &str =
    "62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff";

/// "Example 1" of the specification: what the client answers.
pub(super) const EXAMPLE_1: Vector = Vector {
    pubkey: "545efb0a2192db8d43f118e9bf9aee081466e1ef36c708b96ee6f62dddad9122",
    challenge: "0e9192bc08512c8198da159c1ae600ba91729215f35d56102ee318558e773537",
    signature: concat!(
        "a3a178fe792ed772a8fc092f8341e455de96670c8901264a7c312dbf940d5743",
        "626fe9fbc29b23dcd2169b308eca309de85a89ccd296b24835de3d95b16b7703",
        "0e9192bc08512c8198da159c1ae600ba91729215f35d56102ee318558e773537"
    ),
};

/// "Example 2": with channel binding, both directions.
pub(super) const EXAMPLE_2: Vector = Vector {
    pubkey: "545efb0a2192db8d43f118e9bf9aee081466e1ef36c708b96ee6f62dddad9122",
    challenge: "358625312c6c3bf64ed51d17d210ce21af1639c774cabf5735a9651d7d91fc6a",
    signature: concat!(
        "25114474580d6e99a6126b091b4565c23db567d686c5b8c3a94e3f2f09dc8030",
        "0c5b40a124236733fa56396df721eb12ac092362379bd5b27b4db9e2beaa1408",
        "dcf59bd361a2921448f0e45e12f303097924f5798a83b895cf6b179a6d664d0a"
    ),
};

pub(super) const EXAMPLE_2_CHANNEL: &str =
    "e973bee24dcea9e20625f949c0e3cd28d632ccbefe4907c2fac2728710f7b160";

/// "Example 3": with channel binding and certificates, which are not of interest here.
pub(super) const EXAMPLE_3: Vector = Vector {
    pubkey: "12ae0184b180e9a9c5e45be4a1afbce3c6491320063701cd9c4011a777d04089",
    challenge: "e4b40f72f9604754789d472225483bace926b9668d72c9122545e540d8d98f23",
    signature: concat!(
        "16c89629e72aff3f44661e701341b2221a2fa9d93205826fad85e70d3a8dab70",
        "a8f54314c14d470ebeb77a0dd16c833928c01134a52b2e73862b7d3f258b6000",
        "59ef9181d4370b6d19e7691e9a407f29784315dfc949d4696ce5e1f6535ba73d"
    ),
};

/// From the tests of wampproto-python and wampproto-js.
pub(super) const WAMPPROTO: Vector = Vector {
    pubkey: "c53e4f2756a52ca1ed5cd00da108b3ed7bcffe6294e78283521e5102824f52d3",
    challenge: "a1d483092ec08960fedbaed2bc1d411568a59077b794210e251bd3abb1563f7c",
    signature: concat!(
        "01d4b7a515b1023196e2bbb57c5202da72088f99a17eaeed62ba97ebf93381b9",
        "2a3e8430154667e194d971fb41b090a9338b92021c39271e910a8ea072fe950c",
        "a1d483092ec08960fedbaed2bc1d411568a59077b794210e251bd3abb1563f7c"
    ),
};
