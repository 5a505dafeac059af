use weir_model::{AdvisoryKind, FlawSeverity, Told};

use super::heard::{higher, title};
use super::*;

fn heard(ids: &[&str], vulnerable: &str) -> Heard {
    Heard {
        ids: ids.iter().map(|it| (*it).to_owned()).collect(),
        number: None,
        url: String::new(),
        title: String::new(),
        severity: None,
        vulnerable: vulnerable.to_owned(),
        patched: None,
        weaknesses: Vec::new(),
        cvss: None,
        versions: BTreeSet::new(),
    }
}

fn told() -> Told {
    Told {
        id: "MAL-1".to_owned(),
        kind: AdvisoryKind::Malware,
        aliases: Vec::new(),
        summary: String::new(),
        severity: None,
        cvss: None,
        weaknesses: Vec::new(),
        url: String::new(),
        vulnerable: "*".to_owned(),
        fixes: Vec::new(),
        patched: None,
        certain: true,
        says: Vec::new(),
    }
}

fn versions(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|it| (*it).to_owned()).collect()
}

#[test]
fn two_reports_of_one_flaw_are_one_and_say_what_both_say() {
    let asked = versions(&["1.0.0", "1.5.0"]);
    let mut known = Vec::new();
    join(&mut known, heard(&["GHSA-1", "CVE-1"], "<1.4.0"), &asked);
    let mut more = heard(&["CVE-1"], "<1.6.0");
    more.number = Some(7);
    more.severity = Some(FlawSeverity::High);
    join(&mut known, more, &asked);
    join(&mut known, heard(&["GHSA-2"], "<1.4.0"), &asked);
    assert_eq!(known.len(), 2);
    assert_eq!(known[0].vulnerable, "<1.4.0 || <1.6.0");
    assert_eq!(known[0].versions, asked);
    assert_eq!(
        (known[0].number, known[0].severity),
        (Some(7), Some(FlawSeverity::High))
    );
    assert_eq!(known[1].versions, versions(&["1.0.0"]));
}

#[test]
fn a_registry_that_tells_of_other_versions_tells_nothing() {
    let mut known = Vec::new();
    join(
        &mut known,
        heard(&["GHSA-1"], "<1.0.0"),
        &versions(&["1.0.0"]),
    );
    assert_eq!(known, []);
    // Prereleases of a fix are not fixed, and what cannot be read is meant.
    join(
        &mut known,
        heard(&["GHSA-1"], "<1.0.0"),
        &versions(&["1.0.0-rc.1"]),
    );
    join(
        &mut known,
        heard(&["GHSA-2"], "no range at all"),
        &versions(&["1.0.0"]),
    );
    assert_eq!(known.len(), 2);
}

/// Clients judge by the range once more: it has to hold what is told.
#[test]
fn a_range_that_cannot_be_read_in_full_means_every_version() {
    let asked = versions(&["1.0.0", "2.0.0", "3.0.0-rc.1"]);
    let long = "1.0.0 ".repeat(10_000);
    for (range, read) in [
        ("garbage!!", false),
        ("1.x.y.z", false),
        ("latest", false),
        ("no range at all", false),
        ("<1.5.0 || garbage", false),
        (">=0.5.0, <1.5.0", false),
        ("<1.5.0 and some", false),
        ("<99999999999999999999.0.0", false),
        (long.as_str(), false),
        ("< 1.5.0", true),
        (">=0.1.0 <1.5.0 || 0.0.x", true),
        ("0.9.0 - 1.5.0", true),
    ] {
        let mut known = Vec::new();
        join(&mut known, heard(&["GHSA-1"], range), &asked);
        let told = &known[0];
        let all = if read {
            versions(&["1.0.0"])
        } else {
            asked.clone()
        };
        assert_eq!(told.versions, all, "{range}");
        let words = if read { range } else { "*" };
        assert_eq!(told.vulnerable, words, "{range}");
        assert_eq!(told.title.contains("cannot be read"), !read, "{range}");
        // A report that can be read does not hide that.
        let mut known = Vec::new();
        join(&mut known, heard(&["GHSA-1"], "<1.5.0"), &asked);
        join(&mut known, heard(&["GHSA-1"], range), &asked);
        assert_eq!((known.len(), &known[0].versions), (1, &all), "{range}");
        assert_eq!(known[0].title.contains("cannot be read"), !read, "{range}");
    }
}

#[test]
fn what_one_report_states_no_fix_for_is_not_fixed() {
    let asked = versions(&["1.0.0"]);
    for (one, other, both) in [
        (None, None, None),
        (Some(">=1.4.0"), None, Some(">=1.4.0")),
        (Some(">=1.4.0"), Some(">=1.5.0"), Some(">=1.5.0")),
        (Some(NO_FIX), None, Some(NO_FIX)),
        (Some(NO_FIX), Some(">=1.5.0"), Some(NO_FIX)),
        (Some(">=1.5.0"), Some(NO_FIX), Some(NO_FIX)),
    ] {
        let mut known = Vec::new();
        for patched in [one, other] {
            let mut heard = heard(&["GHSA-1"], "<1.4.0");
            heard.patched = patched.map(str::to_owned);
            join(&mut known, heard, &asked);
        }
        assert_eq!(known[0].patched.as_deref(), both, "{one:?} {other:?}");
    }
}

#[test]
fn a_fix_has_to_be_one_to_both() {
    assert_eq!(higher(">=1.4.0", ">=1.10.0"), ">=1.10.0");
    assert_eq!(higher("1.5.0 || 2.0.0", ">= 1.4.0"), "1.5.0 || 2.0.0");
    assert_eq!(higher(">=1.2.0 <2.0.0", ">=1.4.0"), ">=1.4.0 <2.0.0");
    assert_eq!(
        higher(">=1.4.0", "1.2.0 || >=1.3.0 <2.0.0"),
        ">=1.4.0 <2.0.0"
    );
    assert_eq!(higher(">=1.2.0 <2.0.0", ">=2.3.1"), NO_FIX);
}

#[test]
fn nobody_heard_is_no_answer() {
    let answer = |has_advisories, said: &[UpstreamSaid]| AuditAnswer {
        has_advisories,
        upstreams: said.iter().map(|it| (String::new(), it.clone())).collect(),
        ..AuditAnswer::default()
    };
    let failed = || UpstreamSaid::Failed("x".to_owned());
    assert!(answer(true, &[failed()]).is_grounded());
    assert!(answer(false, &[UpstreamSaid::Answered]).is_grounded());
    assert!(!answer(false, &[UpstreamSaid::Answered, failed()]).is_grounded());
    assert!(!answer(false, &[UpstreamSaid::Missing]).is_grounded());
    let withheld = AuditAnswer {
        withheld: 1,
        ..AuditAnswer::default()
    };
    assert!(!withheld.is_grounded());
    assert!(AuditAnswer::default().is_grounded(), "nothing was asked");
}

#[test]
fn a_report_that_shares_an_id_with_two_makes_them_one() {
    let asked = versions(&["1.0.0"]);
    let mut known = Vec::new();
    join(&mut known, heard(&["GHSA-1"], "<1.1.0"), &asked);
    join(&mut known, heard(&["GHSA-9"], "<9.0.0"), &asked);
    join(&mut known, heard(&["CVE-1"], "<1.2.0"), &asked);
    assert_eq!(known.len(), 3);
    join(&mut known, heard(&["GHSA-1", "CVE-1"], "<1.3.0"), &asked);
    let told: Vec<(usize, &str)> = known
        .iter()
        .map(|it| (it.ids.len(), it.vulnerable.as_str()))
        .collect();
    assert_eq!(told, [(2, "<1.1.0 || <1.2.0 || <1.3.0"), (1, "<9.0.0")]);
}

#[test]
fn alternatives_that_are_there_are_not_repeated() {
    let asked = versions(&["1.0.0"]);
    let mut known = Vec::new();
    let two = "<1.1.0 || >=2.0.0 <2.1.0";
    join(&mut known, heard(&["GHSA-1"], two), &asked);
    join(&mut known, heard(&["GHSA-1"], two), &asked);
    join(
        &mut known,
        heard(&["GHSA-1"], ">=2.0.0 <2.1.0 || <1.1.0"),
        &asked,
    );
    assert_eq!(known[0].vulnerable, two);
    join(&mut known, heard(&["GHSA-1"], "*"), &asked);
    assert_eq!(known[0].vulnerable, "*");
}

#[test]
fn only_a_whole_word_says_malware() {
    let told = |summary: &str| Told {
        summary: summary.to_owned(),
        ..told()
    };
    for (summary, prefixed) in [
        ("Malicious code in reed", false),
        ("reed is malware.", false),
        ("normalize-reed sends tokens away", true),
        ("a small package that steals", true),
        ("", true),
    ] {
        let title = title(&told(summary));
        assert_eq!(title.starts_with("Malware: "), prefixed, "{title}");
    }
}
