//! Reading and writing the compact binary form: whole numbers as LEB128 varints, signed ones
//! ZigZag-mapped first so that small magnitudes are short, floating point as its eight bytes in
//! little-endian order, text as its length in bytes and UTF-8, an option as 0, or 1 and the value.

/// Why bytes are not what they should be. Decoding never panics, and never reserves more memory
/// than the bytes could fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("the bytes end too early")]
    Truncated,
    /// Bytes are left over after the end.
    #[error("bytes are left over")]
    Trailing,
    /// The first byte names a version this code does not know.
    #[error("version {0} is not known")]
    Version(u8),
    /// A value is out of its range; says which.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
}

/// Appends values to bytes.
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn new(version: u8) -> Writer {
        Writer { bytes: vec![version] }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(crate) fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(crate) fn unsigned(&mut self, mut value: u128) {
        // Nearly all numbers are short, and short ones are quicker to shift.
        if let Ok(mut short) = u64::try_from(value) {
            while short >= 0x80 {
                self.bytes.push(short as u8 | 0x80);
                short >>= 7;
            }
            self.bytes.push(short as u8);
            return;
        }
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    pub(crate) fn signed(&mut self, value: i128) {
        self.unsigned(((value << 1) ^ (value >> 127)) as u128);
    }

    pub(crate) fn float(&mut self, value: f64) {
        self.bytes.extend_from_slice(&value.to_bits().to_le_bytes());
    }

    pub(crate) fn text(&mut self, value: &str) {
        self.unsigned(value.len() as u128);
        self.bytes.extend_from_slice(value.as_bytes());
    }

    pub(crate) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.byte(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Takes values from bytes, in the order they were written.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], version: u8) -> Result<Reader<'a>, DecodeError> {
        let mut reader = Reader { bytes };
        match reader.byte()? {
            known if known == version => Ok(reader),
            other => Err(DecodeError::Version(other)),
        }
    }

    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.bytes.is_empty() { Ok(()) } else { Err(DecodeError::Trailing) }
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        let (first, rest) = self.bytes.split_first().ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(*first)
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn unsigned(&mut self) -> Result<u128, DecodeError> {
        // Nearly all numbers are short, and short ones are quicker to shift.
        let mut short = 0_u64;
        for (shift, byte) in (0..63).step_by(7).zip(self.bytes) {
            short |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                self.bytes = &self.bytes[shift / 7 + 1..];
                return Ok(short.into());
            }
        }
        let mut value = 0_u128;
        for shift in (0..128).step_by(7) {
            let byte = self.byte()?;
            let bits = u128::from(byte & 0x7f);
            if shift == 126 && bits > 3 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::OutOfRange("a number"))
    }

    pub(crate) fn signed(&mut self) -> Result<i128, DecodeError> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i128 ^ -((value & 1) as i128))
    }

    /// An unsigned number of a narrower type; `what` names it should it not fit.
    pub(crate) fn count<T: TryFrom<u128>>(&mut self, what: &'static str) -> Result<T, DecodeError> {
        T::try_from(self.unsigned()?).map_err(|_| DecodeError::OutOfRange(what))
    }

    /// A signed number of 64 bits; `what` names it should it not fit.
    pub(crate) fn integer(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        i64::try_from(self.signed()?).map_err(|_| DecodeError::OutOfRange(what))
    }

    pub(crate) fn float(&mut self) -> Result<f64, DecodeError> {
        let (first, rest) = self.bytes.split_first_chunk::<8>().ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        Ok(f64::from_bits(u64::from_le_bytes(*first)))
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, DecodeError> {
        let length: usize = self.count("a length")?;
        let (text, rest) = self.bytes.split_at_checked(length).ok_or(DecodeError::Truncated)?;
        self.bytes = rest;
        std::str::from_utf8(text).map_err(|_| DecodeError::OutOfRange("a text"))
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        match self.byte()? {
            0 => Ok(None),
            1 => read(self).map(Some),
            _ => Err(DecodeError::OutOfRange("an option")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size_come_back() {
        let numbers = [0, 1, -1, 63, -64, 64, i128::from(i64::MIN), i128::MAX, i128::MIN];
        let mut writer = Writer::new(9);
        numbers.iter().for_each(|number| writer.signed(*number));
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes, 9).unwrap();
        for number in numbers {
            assert_eq!(reader.signed(), Ok(number));
        }
        assert_eq!(reader.finish(), Ok(()));
    }

    #[test]
    fn overlong_numbers_are_refused() {
        let bytes = [[9].as_slice(), &[0xff; 40]].concat();
        assert!(Reader::new(&bytes, 9).unwrap().unsigned().is_err());
        assert_eq!(Reader::new(&bytes, 8).err(), Some(DecodeError::Version(9)));
    }
}
