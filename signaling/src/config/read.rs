//! TOML as settings. Mistakes are told in our words, with their place in the text: serde says what is wrong by calls and
//! not by sentences ([`serde::de::Error`]), and those of a library would be in English and change with it. Only what
//! is no TOML at all is told as its parser does.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeOwned, Deserializer, Error, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;
use std::fmt;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong, and at which byte of the text.
#[derive(Debug)]
pub(super) struct Fault {
    pub what: String,
    pub at: usize,
}

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    let table = DeTable::parse(text).map_err(|e| Fault {
        what: format!("không đúng cú pháp TOML: {}", e.message().replace('\n', " ")),
        at: e.span().map_or(0, |span| span.start),
    })?;
    let whole = Spanned::new(table.span(), DeValue::Table(table.into_inner()));
    T::deserialize(Value(&whole)).map_err(|e| Fault { at: e.at.unwrap_or_default(), what: e.what })
}

/// A mistake whose place is known once somebody has looked where it was read.
#[derive(Debug)]
struct Mistake {
    what: String,
    at: Option<usize>,
}

impl Mistake {
    fn at(self, at: usize) -> Mistake {
        Mistake { at: self.at.or(Some(at)), ..self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Mistake {}

impl Error for Mistake {
    fn custom<T: fmt::Display>(what: T) -> Mistake {
        Mistake { what: what.to_string().replace('\n', " "), at: None }
    }

    fn invalid_type(found: Unexpected<'_>, wanted: &dyn Expected) -> Mistake {
        Mistake::custom(format_args!("sai kiểu: {}, cần {wanted}", named(found)))
    }

    fn invalid_value(found: Unexpected<'_>, wanted: &dyn Expected) -> Mistake {
        Mistake::custom(format_args!("sai giá trị: {}, cần {wanted}", named(found)))
    }

    fn unknown_variant(found: &str, known: &'static [&'static str]) -> Mistake {
        Mistake::custom(format_args!("không có giá trị `{found}`; cần {}", listed(known)))
    }

    fn unknown_field(found: &str, known: &'static [&'static str]) -> Mistake {
        Mistake::custom(format_args!("không có thiết lập `{found}`; các thiết lập ở đây: {}", listed(known)))
    }

    fn missing_field(field: &'static str) -> Mistake {
        Mistake::custom(format_args!("thiếu `{field}`"))
    }
}

fn named(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("số `{value}`"),
        Unexpected::Unsigned(value) => format!("số `{value}`"),
        Unexpected::Float(value) => format!("số `{value}`"),
        Unexpected::Str(text) => format!("chuỗi \"{text}\""),
        Unexpected::Seq => "danh sách".to_owned(),
        Unexpected::Map => "bảng".to_owned(),
        other => other.to_string(),
    }
}

fn listed(known: &[&str]) -> String {
    known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A value of the text.
struct Value<'de>(&'de Spanned<DeValue<'de>>);

impl<'de> Value<'de> {
    fn visit<V: Visitor<'de>>(&self, visitor: V) -> Result<V::Value, Mistake> {
        match self.0.get_ref() {
            DeValue::String(text) => visitor.visit_borrowed_str(text),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => Err(Mistake::invalid_value(Unexpected::Other(number.as_str()), &visitor)),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(Mistake::invalid_value(Unexpected::Other(number.as_str()), &visitor)),
            },
            DeValue::Boolean(value) => visitor.visit_bool(*value),
            DeValue::Datetime(_) => Err(Mistake::invalid_type(Unexpected::Other("thời điểm"), &visitor)),
            DeValue::Array(values) => visitor.visit_seq(SeqDeserializer::new(values.iter().map(Value))),
            DeValue::Table(table) => {
                let rows = table.iter().map(|(key, value)| (Key(key), Value(value)));
                visitor.visit_map(MapDeserializer::new(rows))
            }
        }
    }
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        self.visit(visitor).map_err(|mistake| mistake.at(self.0.span().start))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mistake> {
        let read = match self.0.get_ref() {
            DeValue::String(text) => visitor.visit_enum(text.as_ref().into_deserializer()),
            _ => self.visit(visitor),
        };
        read.map_err(|mistake: Mistake| mistake.at(self.0.span().start))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Mistake> for Value<'de> {
    type Deserializer = Value<'de>;

    fn into_deserializer(self) -> Value<'de> {
        self
    }
}

/// The name of a setting: a wrong one is where it stands, not where its value does.
struct Key<'de>(&'de Spanned<Cow<'de, str>>);

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = Mistake;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mistake> {
        let read = visitor.visit_borrowed_str(self.0.get_ref());
        read.map_err(|mistake: Mistake| mistake.at(self.0.span().start))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Mistake> for Key<'de> {
    type Deserializer = Key<'de>;

    fn into_deserializer(self) -> Key<'de> {
        self
    }
}
