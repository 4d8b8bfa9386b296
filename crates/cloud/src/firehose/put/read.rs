//! The JSON of a call, read without a tree: texts are borrowed, records decoded as they come.

use std::borrow::Cow;
use std::fmt;

use aws::api::{Fault, Value};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{LENGTH, Put, Records};

/// Reads a call.
pub(super) fn json(batch: bool, body: &[u8]) -> Result<Put<'_>, Fault> {
    let mut put = Put { batch, ..Put::default() };
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(put);
    }
    // Three bytes of four characters: what is decoded never moves.
    put.records.body.reserve(body.len() / 4 * 3);
    let mut reader = serde_json::Deserializer::from_slice(body);
    Call(&mut put).deserialize(&mut reader).map_err(Fault::serialization)?;
    reader.end().map_err(Fault::serialization)?;
    Ok(put)
}

/// Reads a call that is a tree already.
pub(super) fn tree<'a>(batch: bool, input: &'a Value<'_>) -> Result<Put<'a>, Fault> {
    let stream = input.text_of("DeliveryStreamName")?.map(Cow::Borrowed);
    let mut put = Put { stream, batch, ..Put::default() };
    let member = if batch { "Records" } else { "Record" };
    put.given = input.get(member).is_some();
    let records: Vec<&Value<'_>> = match batch {
        true => input.list_of(member)?.iter().collect(),
        false => input.get(member).into_iter().collect(),
    };
    for record in records {
        match record.get("Data") {
            None => put.records.without(),
            Some(Value::Blob(bytes)) => put.records.push(|body| {
                body.extend_from_slice(bytes);
                Ok::<(), Fault>(())
            })?,
            Some(data) => {
                let text = data.as_text().unwrap_or("no text");
                put.records.push(|body| decode(text.as_bytes(), body)).map_err(fault)?;
            }
        }
    }
    Ok(put)
}

fn fault(text: &str) -> Fault {
    Fault::serialization(text)
}

fn decode(text: &[u8], body: &mut Vec<u8>) -> Result<(), &'static str> {
    codec::base64::decode_append(text, body).map_err(|_| "Data must be standard base64")
}

impl Records {
    /// Appends what `write` writes, with its length before it.
    fn push<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let start = self.body.len();
        self.body.extend_from_slice(&[0; LENGTH]);
        write(&mut self.body)?;
        let length = (self.body.len() - start - LENGTH) as u32;
        if let Some(slot) = self.body.get_mut(start..start + LENGTH) {
            slot.copy_from_slice(&length.to_le_bytes());
        }
        self.ends.push(self.body.len());
        Ok(())
    }

    /// Appends a record that has no `Data`.
    fn without(&mut self) {
        self.without.push(self.ends.len());
        self.push(|_| Ok::<(), std::convert::Infallible>(())).unwrap_or_default();
    }
}

/// A text, borrowed when nothing in it is escaped.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Cow<'de, str>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The members of the call.
struct Call<'p, 'a>(&'p mut Put<'a>);

impl<'de> DeserializeSeed<'de> for Call<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Call<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a structure")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let put = self.0;
        while let Some(name) = members.next_key_seed(Text)? {
            match (&*name, put.batch) {
                ("DeliveryStreamName", _) => put.stream = members.next_value_seed(Maybe(Text))?,
                ("Records", true) | ("Record", false) if put.given => {
                    return Err(A::Error::custom("records come twice"));
                }
                ("Records", true) => {
                    let list = List(&mut put.records);
                    put.given = members.next_value_seed(Maybe(list))?.is_some();
                }
                ("Record", false) => {
                    let one = One(&mut put.records);
                    put.given = members.next_value_seed(Maybe(one))?.is_some();
                }
                _ => {
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A member that may be null.
struct Maybe<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Maybe<S> {
    type Value = Option<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_option(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Maybe<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member")
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        self.0.deserialize(reader).map(Some)
    }
}

/// `Records`.
struct List<'p>(&'p mut Records);

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(One(&mut *self.0))?.is_some() {}
        Ok(())
    }
}

/// A record.
struct One<'p>(&'p mut Records);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(name) = members.next_key_seed(Text)? {
            if name != "Data" {
                members.next_value::<IgnoredAny>()?;
                continue;
            }
            let Some(()) = members.next_value_seed(Maybe(Data(&mut *self.0)))? else { continue };
            if std::mem::replace(&mut found, true) {
                return Err(A::Error::custom("Data comes twice in a record"));
            }
        }
        if !found {
            self.0.without();
        }
        Ok(())
    }
}

/// `Data`, decoded where it will stay.
struct Data<'p>(&'p mut Records);

impl<'de> DeserializeSeed<'de> for Data<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        // Bytes: what the decoder takes is ASCII, so that nobody need look whether it is UTF-8.
        reader.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Data<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a base64 string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.visit_bytes(text.as_bytes())
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<(), E> {
        self.0.push(|body| decode(text, body)).map_err(E::custom)
    }
}
