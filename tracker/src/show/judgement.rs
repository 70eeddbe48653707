//! One verdict, as text and as JSON.

use std::fmt::Write as _;

use crate::domain::{Call, Effect, Grounds, Verdict};

/// A relative change with its sign, to as many digits as it is worth.
pub(super) fn percent(effect: Effect) -> String {
    let percent = effect.relative() * 100.0;
    if percent.abs() >= 10.0 { format!("{percent:+.1} %") } else { format!("{percent:+.2} %") }
}

/// A relative change without its sign.
pub(super) fn size(effect: Effect) -> String {
    percent(effect).trim_start_matches(['+', '-']).to_owned()
}

/// The verdict for a person: the word and the effect first, then what it rests on.
#[must_use]
pub fn text(verdict: &Verdict) -> String {
    let mut out = format!("{}: {} (limit {})\n", verdict.call, percent(verdict.effect), verdict.limit);
    if verdict.moved_within_limit() {
        out.push_str("  it moved, within its limit\n");
    }
    let interval = |out: &mut String| -> std::fmt::Result {
        let Some(interval) = verdict.interval else {
            return writeln!(out, "  too few values to tell their error");
        };
        let (low, high) = (percent(interval.low), percent(interval.high));
        writeln!(out, "  interval    {low} to {high} ({:.0} %)", interval.level * 100.0)?;
        if let Some(detectable) = verdict.detectable {
            writeln!(out, "  detectable  a change of {} would be found 9 times in 10", size(detectable))?;
        }
        verdict.grounds.map_or(Ok(()), |grounds| write_grounds(out, verdict.call, &grounds))
    };
    // Writing to a text cannot fail.
    let _ = interval(&mut out);
    out
}

fn write_grounds(out: &mut String, call: Call, grounds: &Grounds) -> std::fmt::Result {
    let Grounds { lives, se, tau, df, level, factor, signs, places, .. } = *grounds;
    let (se, tau) = (Effect::from_log(se).relative() * 100.0, Effect::from_log(tau).relative() * 100.0);
    writeln!(out, "  error       {se:.3} % from {lives} values, {tau:.3} % beside them ({df:.0} degrees of freedom)")?;
    match (level, factor) {
        (Some(level), Some(factor)) => writeln!(out, "  bar         {factor:.2} errors, at a level of {level:.2e}")?,
        _ => writeln!(out, "  bar         out of reach: too few values for a finding at this budget")?,
    }
    let not = if matches!(call, Call::Inconclusive) { ", which is not enough" } else { "" };
    for (name, chance) in [("signs ", signs), ("places", places)] {
        if let Some(chance) = chance {
            writeln!(out, "  {name}      {chance:.2e} by chance{not}")?;
        }
    }
    Ok(())
}

/// The verdict for programs.
#[must_use]
pub fn json(verdict: &Verdict) -> String {
    let mut value = serde_json::json!({ "schema": "tachograph/verdict/1" });
    if let (Some(object), Ok(serde_json::Value::Object(fields))) =
        (value.as_object_mut(), serde_json::to_value(verdict))
    {
        object.extend(fields);
    }
    format!("{value:#}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Interval, Limit};

    fn verdict() -> Verdict {
        let effect = |relative: f64| Effect::from(relative);
        Verdict {
            call: Call::Regressed,
            effect: effect(0.031),
            interval: Some(Interval { low: effect(0.028), high: effect(0.0345), level: 0.95 }),
            limit: Limit::percent(1.0).unwrap(),
            detectable: Some(effect(0.012)),
            grounds: Some(Grounds {
                lives: 12,
                pairs: 240,
                se: 0.0015,
                se_df: 9.0,
                tau: 0.002,
                lessons: 30,
                df: 20.3,
                bias: 0.0,
                level: Some(1e-3),
                factor: Some(3.54),
                signs: Some(0.000_244),
                places: None,
                next_look: 15,
            }),
        }
    }

    #[test]
    fn the_word_and_the_effect_stand_first() {
        insta::assert_snapshot!(text(&verdict()), @r"
        regressed: +3.10 % (limit 1 %)
          interval    +2.80 % to +3.45 % (95 %)
          detectable  a change of 1.20 % would be found 9 times in 10
          error       0.150 % from 12 values, 0.200 % beside them (20 degrees of freedom)
          bar         3.54 errors, at a level of 1.00e-3
          signs       2.44e-4 by chance
        ");
    }

    #[test]
    fn too_few_values_are_said_to_be_too_few() {
        let bare = Verdict { call: Call::Inconclusive, interval: None, detectable: None, grounds: None, ..verdict() };
        insta::assert_snapshot!(text(&bare), @r"
        inconclusive: +3.10 % (limit 1 %)
          too few values to tell their error
        ");
    }

    #[test]
    fn json_names_its_schema_and_reads_back() {
        let text = json(&verdict());
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["schema"], "tachograph/verdict/1");
        assert_eq!(value["call"], "regressed");
        let back: Verdict = serde_json::from_value(value).unwrap();
        assert!((back.effect.relative() - 0.031).abs() < 1e-12);
    }
}
