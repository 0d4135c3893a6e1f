//! Rows as `COPY … BINARY` takes them: <https://www.postgresql.org/docs/current/sql-copy.html>, "Binary Format".

use crate::{Error, Value};

/// The signature, no flags, and an empty extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// In the place of a row's number of columns.
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
/// In the place of a value's length.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// Encodes rows.
///
/// # Errors
/// [`Error::Unstorable`] if a value is too long.
pub(super) fn encode<const WIDTH: usize>(rows: &[[Value<'_>; WIDTH]]) -> Result<Vec<u8>, Error> {
    let width = i16::try_from(WIDTH).map_err(|_| Error::Unstorable("a row has too many columns"))?;
    let mut bytes = HEADER.to_vec();
    for row in rows {
        bytes.extend(width.to_be_bytes());
        for value in row {
            match *value {
                Value::Integer(number) | Value::Optional(Some(number)) => put(&mut bytes, &number.to_be_bytes())?,
                Value::Optional(None) => bytes.extend(NULL),
                Value::Number(number) => put(&mut bytes, &number.to_be_bytes())?,
                Value::Text(text) => put(&mut bytes, text.as_bytes())?,
                Value::Bytes(value) => put(&mut bytes, value)?,
            }
        }
    }
    bytes.extend(TRAILER);
    Ok(bytes)
}

fn put(bytes: &mut Vec<u8>, value: &[u8]) -> Result<(), Error> {
    let length = i32::try_from(value.len()).map_err(|_| Error::Unstorable("a value is too long"))?;
    bytes.extend(length.to_be_bytes());
    bytes.extend(value);
    Ok(())
}
