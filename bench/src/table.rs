//! The table, as Markdown.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
    time::Duration,
};

use anyhow::Result;

use crate::{
    compare::Measured,
    load::Case,
    machine::{Cores, Machine},
    server::{Kind, Server},
};

pub struct Table {
    heading: String,
    rows: Vec<Row>,
    notes: Vec<String>,
}

struct Row {
    case: Case,
    kind: Kind,
    name: String,
    rounds: Vec<Measured>,
}

impl Table {
    pub fn new(
        machine: Machine,
        cores: Cores,
        rounds: u32,
        seconds: f64,
        connections: usize,
    ) -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let command = ["cargo bench-router".to_owned(), arguments.join(" ")];
        let Cores { server, load } = cores;
        let heading = format!(
            "`{}` on {machine}; servers on core {server}, load on core {load}; medians of {rounds} \
             rounds of {seconds} s; {connections} logins at a time.",
            command.join(" ").trim_end()
        );
        Self {
            heading,
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    pub fn add(&mut self, case: Case, server: &Server, rounds: Vec<Measured>) {
        self.rows.push(Row {
            case,
            kind: server.kind,
            name: server.name.clone(),
            rounds,
        });
    }

    pub fn print(&self) -> Result<()> {
        let mut text = String::new();
        writeln!(text, "{}\n", self.heading)?;
        writeln!(
            text,
            "| what | server | per second | p50 | p99 | server CPU | CPU, × floor or relay | rate, × \
             floor or relay | CPU, × Crossbar |"
        )?;
        writeln!(
            text,
            "| --- | --- | --: | --: | --: | --: | --: | --: | --: |"
        )?;
        for row in &self.rows {
            let cpu = |measured: &Measured| measured.cpu.as_secs_f64() * 1e6;
            let beside = |kinds: &[Kind], of: fn(&Measured) -> f64| {
                self.ratio(row, kinds, of)
                    .map_or_else(|| "–".to_owned(), written_ratio)
            };
            let lowest = [Kind::Floor, Kind::Relay];
            writeln!(
                text,
                "| {} | {} | {:.0} | {} | {} | {:.1} µs | {} | {} | {} |",
                row.case.title(),
                row.name,
                row.median(|measured| measured.rate),
                row.latency(|measured| measured.p50),
                row.latency(|measured| measured.p99),
                row.median(cpu),
                beside(&lowest, |measured| measured.cpu.as_secs_f64()),
                beside(&lowest, |measured| measured.rate),
                beside(&[Kind::Crossbar], |measured| measured.cpu.as_secs_f64()),
            )?;
        }
        let others = self
            .rows
            .iter()
            .map(|row| row.median(|measured| measured.disturbed))
            .fold(0.0, f64::max);
        writeln!(
            text,
            "\nOther processes took up to {:.0} % of one core (the largest of the rows' medians).",
            others * 100.0
        )?;
        for note in &self.notes {
            writeln!(text, "\n{note}")?;
        }
        io::stdout().write_all(text.as_bytes())?;
        Ok(())
    }

    /// The median of the ratios of each round, since what disturbs a round disturbs both.
    fn ratio(&self, row: &Row, kinds: &[Kind], of: fn(&Measured) -> f64) -> Option<f64> {
        let other = self.rows.iter().find(|other| {
            other.case == row.case && other.kind != row.kind && kinds.contains(&other.kind)
        })?;
        let ratios = row.rounds.iter().zip(&other.rounds);
        median(ratios.map(|(ours, theirs)| of(ours) / of(theirs)).collect())
    }
}

impl Row {
    fn median(&self, of: impl Fn(&Measured) -> f64) -> f64 {
        median(self.rounds.iter().map(of).collect()).unwrap_or(f64::NAN)
    }

    fn latency(&self, of: impl Fn(&Measured) -> Option<Duration>) -> String {
        let latencies = self.rounds.iter().filter_map(of);
        let milliseconds = latencies.map(|latency| latency.as_secs_f64() * 1e3);
        median(milliseconds.collect())
            .map_or_else(|| "–".to_owned(), |latency| format!("{latency:.1} ms"))
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn written_ratio(ratio: f64) -> String {
    if ratio < 0.5 {
        format!("1/{:.1}", 1.0 / ratio)
    } else {
        format!("{ratio:.2}")
    }
}
