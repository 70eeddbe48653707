//! llama-bench: a row for each test of a model, as JSON (with samples), JSON lines, CSV, SQL or a Markdown table.
//!
//! The name is the model, the test (`pp512` prompt tokens, `tg128` generated ones, `@d4096` after that many), the number of
//! threads, whose default is the machine's, and every setting that differs from llama-bench's own default. The model's file
//! name is never kept: it leaks user names.

use std::collections::BTreeMap;

use super::error::Flaw;
use super::fields::as_text;
use super::format::{Carries, Directions, Format, Held, Takes};
use super::json::{Next, Reader};
use super::llama_tables;
use super::parsed::Parsed;
use super::sheet::{Sheet, metric};
use super::sniff::Sniff;
use super::text::json_lines;
use super::units::seconds_since_1970;
use crate::domain::{Direction, Kind, Metric};

/// The card of this format.
pub(super) static FORMAT: Format = Format {
    name: "llama-bench",
    title: "llama-bench (llama.cpp)",
    made_by: "llama-bench -o json (or jsonl, csv, sql, md)",
    carries: Carries {
        samples: Held::WhenAsked,
        lives: false,
        direction: Directions::Known,
        failures: false,
        history: false,
    },
    takes: Takes::File(read),
    lossy: false,
    recognises,
};

fn recognises(sniff: &Sniff<'_>) -> bool {
    let is_json = ["0/n_prompt", "n_prompt"].iter().any(|path| sniff.has(path)) && !sniff.has("0/result");
    is_json || llama_tables::recognises(sniff.text)
}

/// Settings with llama-bench's own defaults, in the order in which they stand in names.
const SETTINGS: [(&str, &str, &[&str]); 25] = [
    ("n_threads", "t", &[]),
    ("n_batch", "b", &["2048"]),
    ("n_ubatch", "ub", &["512"]),
    ("type_k", "ctk", &["f16"]),
    ("type_v", "ctv", &["f16"]),
    ("n_gpu_layers", "ngl", &["99", "-1"]),
    ("n_cpu_moe", "ncmoe", &["0"]),
    ("split_mode", "sm", &["layer"]),
    ("main_gpu", "mg", &["0"]),
    ("no_kv_offload", "nkvo", &["0", "false"]),
    ("flash_attn", "fa", &["0", "false", "-1"]),
    ("devices", "dev", &["auto", ""]),
    ("tensor_split", "ts", &["0.00", ""]),
    ("tensor_buft_overrides", "ot", &["none", ""]),
    ("use_mmap", "mmap", &["1", "true"]),
    ("embeddings", "embd", &["0", "false"]),
    ("cpu_mask", "C", &["0x0", ""]),
    ("cpu_strict", "cpu-strict", &["0", "false"]),
    ("poll", "poll", &["50"]),
    ("load_mode", "lm", &["auto"]),
    ("lazy_mode", "lazy", &["auto"]),
    ("no_op_offload", "nopo", &["0", "false"]),
    ("no_host", "nohost", &["0", "false"]),
    ("fit_target", "fitt", &["0"]),
    ("fit_min_ctx", "fitc", &["0"]),
];

/// One test: its fields as texts, and the samples where there are any.
#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) fields: BTreeMap<String, String>,
    pub(super) samples_ns: Vec<f64>,
    pub(super) samples_ts: Vec<f64>,
}

fn read(text: &str) -> Result<Parsed, Flaw> {
    let (mut rows, mut sheet) = (Vec::new(), Sheet::default());
    let trimmed = text.trim_start();
    if trimmed.starts_with('[') {
        let mut reader = Reader::new(text);
        reader.list(|_, reader| {
            rows.push(row(reader)?);
            Ok(())
        })?;
        reader.finish()?;
    } else if trimmed.starts_with('{') {
        let cut_off = json_lines(text, |reader| {
            rows.push(row(reader)?);
            Ok(())
        })?;
        sheet.cut_off("test", cut_off);
    } else {
        rows = llama_tables::rows(text)?;
    }
    for (index, row) in rows.into_iter().enumerate() {
        write_down(row, &mut sheet).map_err(|flaw| flaw.below_index(index))?;
    }
    Ok(sheet.finish())
}

fn row(reader: &mut Reader<'_>) -> Result<Row, Flaw> {
    let mut row = Row::default();
    reader.map(|key, reader| {
        match (key, reader.next()) {
            ("samples_ns", Next::List) => row.samples_ns = reader.numbers()?,
            ("samples_ts", Next::List) => row.samples_ts = reader.numbers()?,
            ("model_filename", _) => reader.skip()?,
            (_, Next::Text | Next::Number | Next::Bool) => {
                row.fields.insert(key.to_owned(), as_text(reader)?);
            }
            _ => reader.skip()?,
        }
        Ok(())
    })?;
    Ok(row)
}

impl Row {
    fn field(&self, key: &str) -> &str {
        self.fields.get(key).map_or("", String::as_str)
    }

    fn count(&self, key: &str) -> Result<u64, Flaw> {
        let text = self.field(key);
        if text.is_empty() {
            return Ok(0);
        }
        text.parse().map_err(|_| Flaw::new(format!("expected a whole number as {key}, found {text:?}")))
    }

    fn number(&self, key: &str) -> Result<Option<f64>, Flaw> {
        let text = self.field(key);
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| Flaw::new(format!("expected a number as {key}, found {text:?}")))
    }

    /// The test as the Markdown table names it.
    fn test(&self) -> Result<String, Flaw> {
        if !self.field("test").is_empty() {
            return Ok(self.field("test").to_owned());
        }
        let (prompt, generated, depth) = (self.count("n_prompt")?, self.count("n_gen")?, self.count("n_depth")?);
        let test = match (prompt, generated) {
            (0, generated) => format!("tg{generated}"),
            (prompt, 0) => format!("pp{prompt}"),
            (prompt, generated) => format!("pp{prompt}+tg{generated}"),
        };
        Ok(if depth > 0 { format!("{test} @ d{depth}") } else { test })
    }

    fn name(&self) -> Result<String, Flaw> {
        let model = ["model_type", "model"].iter().map(|key| self.field(key)).find(|model| !model.is_empty());
        let model = model.ok_or_else(|| Flaw::new("expected the model's type"))?;
        let mut name = format!("{model}/{}", self.test()?);
        for (setting, short, defaults) in SETTINGS {
            let value = self.field(setting);
            if !value.is_empty() && !defaults.contains(&value) {
                name.extend([" ", short, "=", value]);
            }
        }
        Ok(name)
    }
}

fn write_down(mut row: Row, sheet: &mut Sheet) -> Result<(), Flaw> {
    let name = sheet.fresh_name(&row.name()?)?;
    for key in ["backends", "backend", "gpu_info", "model_size", "model_n_params", "size", "params"] {
        if !row.field(key).is_empty() {
            sheet.note(&name, key, row.field(key));
        }
    }
    for key in ["cpu_info", "build_number", "build_commit"] {
        if !row.field(key).is_empty() {
            sheet.notes.insert(key.to_owned(), row.field(key).to_owned());
        }
    }
    let commit = row.field("build_commit");
    if !commit.is_empty() && sheet.origin.commit.is_none() {
        sheet.origin.commit = Some(commit.to_owned());
    }
    sheet.origin.at_s = sheet.origin.at_s.or_else(|| seconds_since_1970(row.field("test_time")));
    for (samples, average) in [(&mut row.samples_ns, "avg_ns"), (&mut row.samples_ts, "avg_ts")] {
        if samples.is_empty() {
            let text = row.fields.get(average).map_or("", String::as_str);
            samples.extend(if text.is_empty() { None } else { text.parse::<f64>().ok() });
        }
    }
    if row.samples_ts.is_empty() && row.samples_ns.is_empty() && row.number("avg_ts")?.is_none() {
        return Err(Flaw::new("expected samples_ns, samples_ts, avg_ns or avg_ts"));
    }
    sheet.read(&name, Metric::time(), vec![row.samples_ns])?;
    let rate = metric("throughput", "tokens/s", Direction::Higher, Kind::Noisy);
    sheet.read(&name, rate, vec![row.samples_ts])
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use crate::domain::{Direction, Outcome};

    fn throughput(text: &str, name: &str) -> Vec<f64> {
        let parsed = parse(None, text.as_bytes()).unwrap();
        let outcome = parsed.sets[0].outcomes.get(name);
        let Some(Outcome::Measured(measured)) = outcome else {
            panic!("{name} in {:?}", parsed.sets[0].outcomes.keys())
        };
        let reading = measured.readings.last().unwrap();
        assert_eq!((reading.metric.name.as_str(), reading.metric.better), ("throughput", Direction::Higher));
        assert!(!format!("{parsed:?}").contains("/home"));
        reading.lives[0].values().to_vec()
    }

    #[test]
    fn json_keeps_samples_and_the_settings_that_are_not_the_default() {
        let one = r#"{"build_commit":"abc","model_filename":"/home/me/m.gguf","model_type":"qwen 7B Q4_0","n_batch":2048,
            "n_threads":4,"flash_attn":true,"use_mmap":true,"n_prompt":512,"n_gen":0,"n_depth":0,"avg_ns":3,
            "samples_ns":[1,2],"samples_ts":[10.5,11.5]}"#;
        assert_eq!(throughput(&format!("[{one}]"), "qwen 7B Q4_0/pp512 t=4 fa=true"), [10.5, 11.5]);
        let line = one.replace('\n', " ").replace("\"n_gen\":0,\"n_depth\":0", "\"n_gen\":64,\"n_depth\":256");
        assert_eq!(throughput(&line, "qwen 7B Q4_0/pp512+tg64 @ d256 t=4 fa=true"), [10.5, 11.5]);
    }

    #[test]
    fn tables_have_the_averages() {
        let csv = "build_commit,model_filename,model_type,n_threads,n_prompt,n_gen,avg_ns,avg_ts\n\
            \"abc\",\"/home/me/m.gguf\",\"qwen 7B\",\"4\",\"0\",\"128\",\"5\",\"8.5\"\n";
        assert_eq!(throughput(csv, "qwen 7B/tg128 t=4"), [8.5]);
        let sql = "CREATE TABLE IF NOT EXISTS llama_bench (\n  model_type TEXT,\n  n_gen INTEGER\n);\n\n\
            INSERT INTO llama_bench (model_filename, model_type, n_threads, n_prompt, n_gen, avg_ns, avg_ts) \
            VALUES ('/home/me/it''s.gguf', 'it''s, 7B', '4', '0', '128', '5', '8.5');\n";
        assert_eq!(throughput(sql, "it's, 7B/tg128 t=4"), [8.5]);
        let markdown = "ggml: found 1 device\n\
            | model          |       size |     params | backend | threads |     test |              t/s |\n\
            | -------------- | ---------: | ---------: | ------- | ------: | -------: | ---------------: |\n\
            | llama 7B Q4_0  |   3.56 GiB |     6.74 B | CPU     |       8 |    pp512 |    120.50 ± 1.25 |\n\
            | llama 7B Q4_0  |   3.56 GiB |     6.74 B | CPU     |       8 |    tg128 |     12.25 ± 0.05 |\n\nbuild: abc (1)\n";
        assert_eq!(throughput(markdown, "llama 7B Q4_0/pp512 t=8"), [120.5]);
        assert_eq!(throughput(markdown, "llama 7B Q4_0/tg128 t=8"), [12.25]);
    }
}
