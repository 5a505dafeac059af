//! A second reading, field by field, of a record that the strict one does not take: what is of the type it
//! should be is kept, and what is not is named with its place. It costs several times as much as the first.

mod twice;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use weir_model::finding::printable;

use super::object::Object;
use super::ranges::OsvRange;
use super::{Osv, OsvAffected, OsvPackage};

/// Longest piece of a record that a message repeats, in characters.
const SHOWN: usize = 120;

/// Reads a record as far as it can be read. `refused` is why the strict reading did not take it.
pub(super) fn read(text: &[u8], refused: &serde_json::Error) -> Result<Osv, String> {
    let value: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let mut fields = Fields::of(value, String::new())?;
    let id = match fields.object.remove("id") {
        Some(Value::String(id)) => id,
        Some(other) => return Err(format!("id: {}", misplaced(&other, "a text"))),
        None => return Err("id: is missing".to_owned()),
    };
    let affected = fields.values("affected").into_iter().enumerate();
    let mut osv = Osv {
        id,
        modified: fields.said("modified"),
        withdrawn: fields.said("withdrawn"),
        aliases: Some(fields.list("aliases", "a text")),
        summary: fields.text("summary"),
        details: fields.text("details"),
        severity: Some(fields.list("severity", "an object")),
        affected: Some(
            affected
                .map(|(number, value)| Object(part(value, format!("affected[{number}]"))))
                .collect(),
        ),
        references: Some(fields.list("references", "an object")),
        database_specific: fields
            .object
            .remove("database_specific")
            .unwrap_or_default(),
        problems: fields.problems,
        unclear: false,
    };
    // Which of two values is meant, nobody can tell.
    if let Some(key) = twice::key(text) {
        let key = printable(&key, SHOWN);
        osv.problems
            .push(format!("the key {key:?} is there twice in one object"));
        osv.unclear = true;
    } else if !names_a_problem(&osv) {
        osv.problems.push(printable(&refused.to_string(), SHOWN));
        osv.unclear = true;
    }
    Ok(osv)
}

/// Whether it is known why the strict reading refused the record. Of `modified` and `withdrawn` it is said
/// later, where their texts are read.
fn names_a_problem(osv: &Osv) -> bool {
    let of_part = |Object(part): &Object<OsvAffected>| {
        let of_range = |range: &OsvRange| !range.unreadable.is_empty();
        !part.unreadable.is_empty()
            || !part.aside.is_empty()
            || part.ranges.iter().flatten().any(of_range)
    };
    let is_no_time = |said: &Option<String>| {
        let said = said.as_deref();
        said.is_some_and(|said| weir_npm::time::parse(said).is_none())
    };
    !osv.problems.is_empty()
        || is_no_time(&osv.modified)
        || is_no_time(&osv.withdrawn)
        || osv.affected.iter().flatten().any(of_part)
}

/// One affected part. Without a readable name it is about no package, and says why.
fn part(value: Value, place: String) -> OsvAffected {
    let mut fields = match Fields::of(value, place.clone()) {
        Ok(fields) => fields,
        Err(why) => {
            return OsvAffected {
                unreadable: vec![why],
                ..OsvAffected::default()
            };
        }
    };
    let package = package(&mut fields);
    let ranges = fields.values("ranges").into_iter().enumerate();
    let ranges = ranges
        .map(|(number, value)| range(value, format!("{place}.ranges[{number}]")))
        .collect();
    let versions = fields.list("versions", "a text");
    let unreadable = std::mem::take(&mut fields.problems);
    OsvAffected {
        package,
        ranges: Some(ranges),
        versions: Some(versions),
        severity: Some(fields.list("severity", "an object")),
        database_specific: fields
            .object
            .remove("database_specific")
            .unwrap_or_default(),
        unreadable,
        aside: fields.problems,
    }
}

/// The package of a part. One whose ecosystem cannot be read may well be npm's.
fn package(fields: &mut Fields) -> Option<OsvPackage> {
    let value = fields.object.remove("package").filter(|it| !it.is_null())?;
    let mut inner = match Fields::of(value, format!("{}.package", fields.place)) {
        Ok(inner) => inner,
        Err(why) => {
            fields.problems.push(why);
            return None;
        }
    };
    let ecosystem = inner.needed("ecosystem");
    // Of other ecosystems nothing is kept, so nothing is missing.
    let name = match &ecosystem {
        Some(ecosystem) if !super::is_npm(ecosystem) => Some(String::new()),
        _ => inner.needed("name"),
    };
    fields.problems.append(&mut inner.problems);
    Some(OsvPackage {
        ecosystem: ecosystem.unwrap_or_else(|| "npm".to_owned()),
        name: name?,
    })
}

/// One range; a part of it that cannot be read leaves nothing certain of it.
fn range(value: Value, place: String) -> OsvRange {
    let unreadable = |unreadable: Vec<String>| OsvRange {
        kind: String::new(),
        events: Vec::new(),
        unreadable,
    };
    let mut fields = match Fields::of(value, place) {
        Ok(fields) => fields,
        Err(why) => return unreadable(vec![why]),
    };
    let Some(kind) = fields.needed("type") else {
        return unreadable(fields.problems);
    };
    let events = match kind.as_str() {
        // Over commits, and so for others.
        "GIT" => Vec::new(),
        _ => fields.list("events", "an object"),
    };
    OsvRange {
        kind,
        events,
        unreadable: fields.problems,
    }
}

/// The fields of an object, to be taken out one by one, and what was wrong with those taken so far.
struct Fields {
    object: Map<String, Value>,
    /// Where the object is; empty for the record itself.
    place: String,
    problems: Vec<String>,
}

impl Fields {
    fn of(value: Value, place: String) -> Result<Self, String> {
        match value {
            Value::Object(object) => Ok(Self {
                object,
                place,
                problems: Vec::new(),
            }),
            other => {
                let colon = if place.is_empty() { "" } else { ": " };
                Err(format!("{place}{colon}{}", misplaced(&other, "an object")))
            }
        }
    }

    fn problem(&mut self, key: &str, what: &str) {
        let dot = if self.place.is_empty() { "" } else { "." };
        self.problems
            .push(format!("{}{dot}{key}: {what}", self.place));
    }

    /// The values of a list; none if there is no such list.
    fn values(&mut self, key: &str) -> Vec<Value> {
        match self.object.remove(key) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(values)) => values,
            Some(other) => {
                self.problem(key, &misplaced(&other, "a list"));
                Vec::new()
            }
        }
    }

    /// The readable entries of a list.
    fn list<T: DeserializeOwned>(&mut self, key: &str, wanted: &str) -> Vec<T> {
        let mut read = Vec::new();
        for (number, value) in self.values(key).into_iter().enumerate() {
            let entry = match (value, wanted) {
                (value @ Value::Object(_), "an object") | (value @ Value::String(_), "a text") => {
                    serde_json::from_value(value).map_err(|error| error.to_string())
                }
                (other, wanted) => Err(misplaced(&other, wanted)),
            };
            match entry {
                Ok(entry) => read.push(entry),
                Err(why) => self.problem(&format!("{key}[{number}]"), &printable(&why, SHOWN)),
            }
        }
        read
    }

    /// A text, if there is one.
    fn text(&mut self, key: &str) -> Option<String> {
        match self.object.remove(key)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => {
                self.problem(key, &misplaced(&other, "a text"));
                None
            }
        }
    }

    /// A text without which nothing can be made of the object.
    fn needed(&mut self, key: &str) -> Option<String> {
        if self.object.get(key).is_none_or(Value::is_null) {
            self.problem(key, "is missing");
        }
        self.text(key)
    }

    /// What is said, as it stands there: to be read, and refused, by whoever reads its text.
    fn said(&mut self, key: &str) -> Option<String> {
        match self.object.remove(key)? {
            Value::Null => None,
            Value::String(text) => Some(text),
            other => Some(printable(&other.to_string(), SHOWN)),
        }
    }
}

fn misplaced(value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    format!("is {found}, and should be {wanted}")
}
