//! What a model says of itself.

use crate::format::ModelError;

/// What a model was made of, with what settings, under which licences, and how it did on validation texts: names and
/// values, in the order they were written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header(Vec<(String, String)>);

impl Header {
    /// Reads lines of `name = value`.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, ModelError> {
        let wrong = ModelError::Content("HEAD");
        let text = std::str::from_utf8(bytes).map_err(|_| wrong.clone())?;
        let entry = |line: &str| line.split_once(" = ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        text.lines().map(entry).collect::<Option<_>>().map(Self).ok_or(wrong)
    }

    /// Adds an entry; line ends become spaces.
    pub fn push(&mut self, name: &str, value: impl ToString) {
        self.0.push((name.replace(['\n', '\r'], " "), value.to_string().replace(['\n', '\r'], " ")));
    }

    /// The lines that [`of`](Self::of) reads.
    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name} = {value}\n")).collect()
    }

    /// Returns the value with this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The names and values in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}
