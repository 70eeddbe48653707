use super::*;

fn duel() -> Bundle {
    let duel = Duel::example(vec![("a", super::super::Bout::Missing)]);
    Bundle::new(duel.id(), Content::Duel { duel: Box::new(duel), sketch: false }).unwrap()
}

#[test]
fn what_was_written_is_read_and_nothing_else_is() {
    let text = String::from_utf8(duel().to_bytes()).unwrap();
    assert_eq!(Bundle::parse(text.as_bytes()), Ok(duel()));
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} in {text}");
        Bundle::parse(text.replacen(from, to, 1).as_bytes()).unwrap_err()
    };
    assert_eq!(changed("\"bundle\":1", "\"bundle\":2"), BundleError::Version(2));
    assert_eq!(changed("\"bundle\":1", "\"bundle\": 1"), BundleError::NotCanonical);
    assert_eq!(changed("\"seed\":7", "\"seed\":7,\"more\":0"), BundleError::NotCanonical);
    assert!(matches!(changed("\"seed\":7", "\"seed\":8"), BundleError::Forged(_)));
    assert!(matches!(changed("\"id\":\"", "\"id\":\"../"), BundleError::Malformed(_)));
    assert!(matches!(changed("\"seed\":7,", ""), BundleError::Malformed(_)));
    assert!(matches!(Bundle::parse(b"\x1f\x8b\x08"), Err(BundleError::Malformed(_))));
    assert_eq!(Bundle::parse(&vec![b' '; MOST_BYTES + 1]), Err(BundleError::TooLarge(MOST_BYTES + 1)));
}

#[test]
fn an_annotation_is_of_the_finding_that_it_names() {
    use super::super::{CommitId, Move, Turn};
    let id = |digit: &str| CommitId::new(digit.repeat(40)).unwrap();
    let named = Named::new(Move::Step, Turn::Regression, [id("a"), id("b"), id("c")]);
    let said = Annotation { finding: named.id.clone(), state: State::Expected, note: "so".to_owned(), said_at_s: 5 };
    let bundle = |said: &Annotation, named: &Named| {
        Bundle::new(said.id(), Content::Annotation { said: said.clone(), named: Some(named.clone()) })
    };
    let whole = bundle(&said, &named).unwrap();
    assert_eq!(Bundle::parse(&whole.to_bytes()), Ok(whole));
    let other = Named::new(Move::Step, Turn::Regression, [id("b"), id("b"), id("c")]);
    assert!(matches!(bundle(&said, &other), Err(BundleError::Annotation(_))));
    let fixed = Annotation { state: State::Fixed, ..said.clone() };
    assert!(matches!(bundle(&fixed, &named), Err(BundleError::Annotation(_))));
    let long = Annotation { note: "x".repeat(MOST_NOTE_BYTES + 1), ..said };
    assert!(matches!(bundle(&long, &named), Err(BundleError::Annotation(_))));
}

#[test]
fn a_gist_makes_sense() {
    assert!(Gist::new(1.0, Some((0.5, 2.0)), 2, 10).is_ok());
    assert!(Gist::new(f64::NAN, None, 2, 10).is_err());
    assert!(Gist::new(1.0, Some((2.0, 0.5)), 2, 10).is_err());
    assert!(Gist::new(1.0, None, 3, 2).is_err());
    assert!(serde_json::from_str::<Gist>("[1.0,0.5,null,1,1]").is_err());
    assert_eq!(serde_json::to_string(&Gist::new(1.5, None, 1, 2).unwrap()).unwrap(), "[1.5,null,null,1,2]");
}
