//! What a tracker asks for.

use serde_json::{Map, Value};

/// A request, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Request {
    Hello { versions: Vec<u64> },
    List,
    Run { benchmark: String, iterations: u64 },
    Check { benchmark: String },
    Drop { benchmark: String },
    Profile { benchmark: String, iterations: u64 },
    Count { benchmark: String, iterations: u64 },
}

/// Reads a request; the error says what is wrong with it. Fields that are not known are ignored.
pub(crate) fn parse(line: &str) -> Result<Request, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| format!("this line is no JSON: {error}"))?;
    let Value::Object(fields) = value else { return Err("this line is no JSON object".to_owned()) };
    let benchmark = || text(&fields, "benchmark");
    let iterations = || count(&fields, "iterations");
    match text(&fields, "request")?.as_str() {
        "hello" => Ok(Request::Hello { versions: versions(&fields)? }),
        "list" => Ok(Request::List),
        "run" => Ok(Request::Run { benchmark: benchmark()?, iterations: iterations()? }),
        "check" => Ok(Request::Check { benchmark: benchmark()? }),
        "drop" => Ok(Request::Drop { benchmark: benchmark()? }),
        "profile" => Ok(Request::Profile { benchmark: benchmark()?, iterations: iterations()? }),
        "count" => Ok(Request::Count { benchmark: benchmark()?, iterations: iterations()? }),
        other => Err(format!("unknown request {other:?}: expected hello, list, run, check, drop, profile or count")),
    }
}

fn field<'f>(fields: &'f Map<String, Value>, name: &str) -> Result<&'f Value, String> {
    fields.get(name).ok_or_else(|| format!("the field `{name}` is missing"))
}

fn text(fields: &Map<String, Value>, name: &str) -> Result<String, String> {
    let value = field(fields, name)?;
    value.as_str().map(str::to_owned).ok_or_else(|| format!("the field `{name}` must be a text, not {}", kind(value)))
}

fn count(fields: &Map<String, Value>, name: &str) -> Result<u64, String> {
    let value = field(fields, name)?;
    let wrong = || match value {
        Value::Number(number) => format!("the field `{name}` must be whole and above zero, not {number}"),
        other => format!("the field `{name}` must be a number, not {}", kind(other)),
    };
    value.as_u64().filter(|&count| count > 0).ok_or_else(wrong)
}

fn versions(fields: &Map<String, Value>) -> Result<Vec<u64>, String> {
    let value = field(fields, "versions")?;
    let whole = |list: &Vec<Value>| list.iter().map(Value::as_u64).collect::<Option<Vec<u64>>>();
    value
        .as_array()
        .and_then(whole)
        .filter(|versions| !versions.is_empty())
        .ok_or_else(|| "the field `versions` must be a list of whole numbers, such as [1]".to_owned())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read() {
        let run = Request::Run { benchmark: "sum/1000".to_owned(), iterations: 512 };
        assert_eq!(parse(r#"{"request":"run","benchmark":"sum/1000","iterations":512}"#), Ok(run));
        assert_eq!(parse(r#"{"request":"hello","versions":[1,2]}"#), Ok(Request::Hello { versions: vec![1, 2] }));
        assert_eq!(parse(r#" {"request":"list"} "#), Ok(Request::List));
    }

    #[test]
    fn an_unknown_field_is_ignored() {
        assert_eq!(parse(r#"{"request":"list","colour":"red"}"#), Ok(Request::List));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let cases = [
            ("", "no JSON"),
            ("[]", "no JSON object"),
            ("{}", "`request` is missing"),
            (r#"{"request":7}"#, "`request` must be a text, not a number"),
            (r#"{"request":"dance"}"#, "unknown request \"dance\""),
            (r#"{"request":"run","iterations":1}"#, "`benchmark` is missing"),
            (r#"{"request":"run","benchmark":null,"iterations":1}"#, "`benchmark` must be a text, not null"),
            (r#"{"request":"run","benchmark":"a"}"#, "`iterations` is missing"),
            (r#"{"request":"run","benchmark":"a","iterations":"9"}"#, "must be a number, not a text"),
            (r#"{"request":"run","benchmark":"a","iterations":0}"#, "whole and above zero, not 0"),
            (r#"{"request":"run","benchmark":"a","iterations":-3}"#, "whole and above zero, not -3"),
            (r#"{"request":"run","benchmark":"a","iterations":1.5}"#, "whole and above zero, not 1.5"),
            (r#"{"request":"run","benchmark":"a","iterations":1e300}"#, "whole and above zero"),
            (r#"{"request":"hello"}"#, "`versions` is missing"),
            (r#"{"request":"hello","versions":[]}"#, "`versions` must be a list"),
            (r#"{"request":"hello","versions":["1"]}"#, "`versions` must be a list"),
        ];
        for (line, expected) in cases {
            let message = parse(line).unwrap_err();
            assert!(message.contains(expected), "{line} gave {message:?}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        assert!(parse(&"[".repeat(500_000)).is_err());
    }
}
