//! Whether a key is there twice in one object: a tree of values keeps the last one and says nothing.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// The first such key, wherever in the text it is.
pub(super) fn key(text: &[u8]) -> Option<String> {
    let found: Option<Twice> = serde_json::from_slice(text).ok();
    found?.0
}

#[derive(Default)]
struct Twice(Option<String>);

impl<'de> Deserialize<'de> for Twice {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Twice;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Twice, A::Error> {
        let (mut keys, mut found) = (HashSet::new(), Twice::default());
        while let Some(key) = map.next_key::<String>()? {
            let Twice(inside) = map.next_value()?;
            found.0 = found.0.or(inside).or(keys.replace(key));
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Twice, A::Error> {
        let mut found = Twice::default();
        while let Some(Twice(inside)) = list.next_element()? {
            found.0 = found.0.or(inside);
        }
        Ok(found)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Twice, E> {
        Ok(Twice::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Twice, E> {
        Ok(Twice::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Twice, E> {
        Ok(Twice::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Twice, E> {
        Ok(Twice::default())
    }

    fn visit_str<E>(self, _: &str) -> Result<Twice, E> {
        Ok(Twice::default())
    }

    fn visit_unit<E>(self) -> Result<Twice, E> {
        Ok(Twice::default())
    }
}
