//! Which accounts are one, and which could be taken for one another.

use weir_model::{Evidence, Severity};
use weir_npm::packument::{Person, Publisher};

use crate::names::forms;

/// Whether two names are of one account: they are the same to the letter. Accounts of the public registry are
/// lower case by now, and those from before that differ in case are accounts of their own.
pub(crate) fn is_same_account(one: &str, other: &str) -> bool {
    one == other
}

/// An account, and the mail address that it states.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account<'a> {
    name: &'a str,
    mail: Option<&'a str>,
}

impl<'a> From<&'a Person> for Account<'a> {
    fn from(person: &'a Person) -> Self {
        Self {
            name: &person.name,
            mail: person.email.as_deref(),
        }
    }
}

impl<'a> From<&'a Publisher> for Account<'a> {
    fn from(publisher: &'a Publisher) -> Self {
        Self {
            name: &publisher.name,
            mail: publisher.email.as_deref(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Case,
    Letters,
    Mail,
}

/// An account, and an earlier one that it could be taken for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Resemblance<'a> {
    likeness: Likeness,
    own: Account<'a>,
    other: Account<'a>,
}

impl<'a> Resemblance<'a> {
    /// The earlier account that this one could be taken for. No likeness is proof: names that differ in case or
    /// in letters that look alike are two accounts, and an account may state any mail address.
    pub(crate) fn find(own: Account<'a>, earlier: &[Account<'a>]) -> Option<Self> {
        let mail = own.mail.filter(|mail| !mail.is_empty());
        let same_mail = |other: &Account<'_>| match (mail, other.mail) {
            (Some(ours), Some(theirs)) => ours.eq_ignore_ascii_case(theirs),
            _ => false,
        };
        let others = || {
            let all = earlier.iter().copied();
            all.filter(move |other| !is_same_account(own.name, other.name))
        };
        let of = |likeness| {
            move |other| Self {
                likeness,
                own,
                other,
            }
        };
        let by_case = others().find(|it| it.name.eq_ignore_ascii_case(own.name));
        let by_letters = || others().find(|it| looks_like(it.name, own.name));
        let by_mail = || others().find(same_mail);
        by_case
            .map(of(Likeness::Case))
            .or_else(|| by_letters().map(of(Likeness::Letters)))
            .or_else(|| by_mail().map(of(Likeness::Mail)))
    }

    /// In words; `whose` follows "the name" or "the mail address": nothing, or " of lena".
    pub(crate) fn words(&self, whose: &str) -> String {
        let theirs = self.other.name;
        match self.likeness {
            Likeness::Case => format!(
                "the name{whose} differs from that of {theirs} in case alone, which makes it another account"
            ),
            Likeness::Letters => format!(
                "the name{whose} looks like that of {} and is spelled {}, which makes it another account",
                spelled(theirs),
                spelled(self.own.name)
            ),
            Likeness::Mail => format!(
                "the mail address{whose} is that of {theirs}, which does not make them one account"
            ),
        }
    }

    /// The most that a new account then weighs. People who change accounts keep their address, so that a shared
    /// one weighs a little less; a name that only looks the same does not.
    pub(crate) const fn most(&self) -> Severity {
        match self.likeness {
            Likeness::Case | Likeness::Letters => Severity::Critical,
            Likeness::Mail => Severity::Low,
        }
    }

    /// How the names are spelled, where they look the same.
    pub(crate) fn evidence(&self, field: &str) -> Option<Evidence> {
        (self.likeness == Likeness::Letters).then(|| {
            Evidence::change(
                format!("{field} (spelled)"),
                Some(spelled(self.other.name)),
                Some(spelled(self.own.name)),
            )
        })
    }
}

/// Whether two names are the same to the eye: letters that look alike, and what takes no room.
fn looks_like(one: &str, other: &str) -> bool {
    let seen = |name: &str| {
        let visible = |c: &char| !c.is_whitespace() && !weir_model::finding::is_invisible(*c);
        forms::skeleton(&name.chars().filter(visible).collect::<String>())
    };
    one != other && seen(one) == seen(other)
}

/// A name with everything escaped that may look like something else.
fn spelled(name: &str) -> String {
    format!("\"{}\"", name.escape_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_are_found() {
        for (one, other, alike) in [
            ("m\u{430}ra", "mara", true),
            ("rnara", "mara", true),
            ("mara\u{200b}", "mara", true),
            ("mara ", "mara", true),
            ("mara", "mara", false),
            ("mira", "mara", false),
        ] {
            assert_eq!(looks_like(one, other), alike, "{one:?}");
        }
    }

    #[test]
    fn what_two_accounts_have_in_common_is_said_and_excuses_nothing() {
        let account = |name, mail| Account { name, mail };
        let mara = account("mara", Some("mara@mail.example"));
        for (own, likeness) in [
            (account("mara", Some("mara@mail.example")), None),
            (account("Mara", None), Some(Likeness::Case)),
            (account("rnara", None), Some(Likeness::Letters)),
            (
                account("lena", Some("MARA@mail.example")),
                Some(Likeness::Mail),
            ),
            // Near misses: no address in common, and none at all.
            (account("lena", Some("lena@mail.example")), None),
            (account("lena", Some("")), None),
            (account("lena", None), None),
        ] {
            let nameless = account("otto", Some(""));
            let found = Resemblance::find(own, &[nameless, mara]);
            assert_eq!(found.map(|it| it.likeness), likeness, "{own:?}");
            let one = is_same_account(own.name, mara.name);
            assert_eq!(one, own.name == "mara", "{own:?}");
        }
    }
}
