use std::collections::BTreeSet;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{Page, Router, soon};

/// The page of metrics that a router serves.
#[derive(Clone, Debug)]
pub struct Metrics(String);

impl Router {
    /// Where its metrics are.
    pub async fn metrics_address(&self) -> String {
        let serving = self.log.message("serving metrics").await;
        serving.text("address").to_owned()
    }

    /// Gets the page.
    pub async fn metrics(&self) -> Metrics {
        let page = self.metrics_page("GET /metrics HTTP/1.1").await;
        assert_eq!(page.status, 200, "{}", page.body);
        Metrics(page.body)
    }

    /// What is answered to this line of a request.
    pub async fn metrics_page(&self, line: &str) -> Page {
        let request = format!("{line}\r\nHost: router\r\n\r\n");
        Page::read(&self.metrics_answer(request.as_bytes()).await)
    }

    /// Sends any octets, and returns what comes back until the connection ends.
    pub async fn metrics_answer(&self, octets: &[u8]) -> String {
        let stream = TcpStream::connect(self.metrics_address().await).await;
        let mut stream = stream.expect("it listens");
        // It may have heard enough before the end.
        _ = stream.write_all(octets).await;
        let mut answer = Vec::new();
        _ = soon("an answer", stream.read_to_end(&mut answer)).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Waits until the page is as it must be: what is counted may be counted after a client is told.
    pub async fn metrics_where(&self, wanted: impl Fn(&Metrics) -> bool) -> Metrics {
        let looking = async {
            loop {
                let metrics = self.metrics().await;
                if wanted(&metrics) {
                    return metrics;
                }
            }
        };
        soon("such metrics", looking).await
    }
}

impl Metrics {
    /// The value of a sample that has these labels; those that it has besides do not matter. 0 where
    /// there is none, the sum where there are several. All that is counted is whole.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let samples = self.samples(name).filter(|(found, _)| {
            let has =
                |(label, value): &(&str, &str)| found.contains(&format!("{label}=\"{value}\""));
            labels.iter().all(has)
        });
        samples
            .map(|(_, value)| value.parse::<u64>().expect("a whole number"))
            .sum()
    }

    /// All values of a label.
    pub fn labels(&self, name: &str, label: &str) -> BTreeSet<String> {
        let beginning = format!("{label}=\"");
        let values = self.samples(name).filter_map(|(labels, _)| {
            let (_, rest) = labels.split_once(&beginning)?;
            let (value, _) = rest.split_once('"')?;
            Some(value.to_owned())
        });
        values.collect()
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let lines = self.0.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(move |line| {
            let (sample, value) = line.rsplit_once(' ').expect("a sample and its value");
            let (found, labels) = sample.split_once('{').unwrap_or((sample, ""));
            (found == name).then_some((labels, value))
        })
    }
}
