//! llama-bench's tables: CSV, the statements of its SQL, and Markdown. They have averages and no samples.

use std::collections::BTreeMap;

use super::error::{Flaw, excerpt};
use super::llama_bench::Row;

pub(super) fn recognises(text: &str) -> bool {
    header(text).is_some() || text.contains("INSERT INTO llama_bench (") || markdown_head(text).is_some()
}

/// The header line of the CSV form.
fn header(text: &str) -> Option<&str> {
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    (first.starts_with("build_commit,") && first.contains("n_prompt") && first.contains("avg_ts")).then_some(first)
}

/// Where the Markdown table begins: its line, from 0.
fn markdown_head(text: &str) -> Option<usize> {
    text.lines().position(|line| line.starts_with("| model ") && line.trim_end().ends_with("t/s |"))
}

pub(super) fn rows(text: &str) -> Result<Vec<Row>, Flaw> {
    if header(text).is_some() {
        return csv_rows(text);
    }
    if let Some(line) = markdown_head(text) {
        return markdown_rows(text, line);
    }
    sql_rows(text)
}

fn row_of<'a>(names: impl Iterator<Item = &'a str>, values: impl Iterator<Item = String>) -> Row {
    let fields = names.map(str::to_owned).zip(values).filter(|(name, _)| name != "model_filename");
    Row { fields: fields.collect::<BTreeMap<_, _>>(), ..Row::default() }
}

fn csv_rows(text: &str) -> Result<Vec<Row>, Flaw> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| Flaw::new(error.to_string()))?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| Flaw::new(error.to_string()))?;
        rows.push(row_of(names.iter(), record.iter().map(str::to_owned)));
    }
    Ok(rows)
}

fn markdown_rows(text: &str, head: usize) -> Result<Vec<Row>, Flaw> {
    let cells = |line: &str| -> Vec<String> {
        line.trim().trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = text.lines().enumerate().skip(head);
    let names: Vec<String> = lines.next().map(|(_, line)| cells(line)).unwrap_or_default();
    let mut rows = Vec::new();
    for (index, line) in lines {
        if !line.starts_with('|') {
            break;
        }
        if line.starts_with("| -") || line.starts_with("|-") {
            continue;
        }
        let values = cells(line);
        if values.len() != names.len() {
            let what = format!("expected {} cells, found {}", names.len(), values.len());
            return Err(Flaw::new(what).on_line(index + 1));
        }
        let mut row = row_of(names.iter().map(|name| long_name(name)), values.into_iter());
        // "120.50 ± 1.25"
        if let Some(rate) = row.fields.get_mut("avg_ts") {
            let mean = rate.split_whitespace().next().unwrap_or("").to_owned();
            if mean.parse::<f64>().is_err() {
                let what = format!("expected a rate such as `120.50 ± 1.25`, found {:?}", excerpt(rate));
                return Err(Flaw::new(what).on_line(index + 1));
            }
            *rate = mean;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The table's short column names as the other forms spell them.
fn long_name(column: &str) -> &str {
    match column {
        "model" => "model_type",
        "threads" => "n_threads",
        "ngl" => "n_gpu_layers",
        "fa" => "flash_attn",
        "sm" => "split_mode",
        "mmap" => "use_mmap",
        "embd" => "embeddings",
        "ts" => "tensor_split",
        "ot" => "tensor_buft_overrides",
        "dev" => "devices",
        "t/s" => "avg_ts",
        other => other,
    }
}

fn sql_rows(text: &str) -> Result<Vec<Row>, Flaw> {
    const INTO: &str = "INSERT INTO llama_bench (";
    let mut rows = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find(INTO) {
        let start = at + found;
        let expected = |what: &str| Flaw::new(format!("expected {what}")).at(start);
        let after = start + INTO.len();
        let (names, rest) = text[after..].split_once(')').ok_or_else(|| expected("`)` after the columns"))?;
        let rest = rest.trim_start().strip_prefix("VALUES").ok_or_else(|| expected("`VALUES` after the columns"))?;
        let list = rest.trim_start().strip_prefix('(').ok_or_else(|| expected("`(` after VALUES"))?;
        let (values, rest) = sql_values(list).ok_or_else(|| expected("quoted values up to `)`"))?;
        rows.push(row_of(names.split(',').map(str::trim), values.into_iter()));
        at = text.len() - rest.len();
    }
    Ok(rows)
}

/// Quoted values up to the closing bracket, a quote in them doubled; and what follows.
fn sql_values(mut rest: &str) -> Option<(Vec<String>, &str)> {
    let mut values = Vec::new();
    loop {
        rest = rest.trim_start().strip_prefix('\'')?;
        let mut value = String::new();
        loop {
            let (part, after) = rest.split_once('\'')?;
            value.push_str(part);
            rest = after;
            match rest.strip_prefix('\'') {
                Some(after) => {
                    value.push('\'');
                    rest = after;
                }
                None => break,
            }
        }
        values.push(value);
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after,
            None => return Some((values, rest.strip_prefix(')')?)),
        }
    }
}
