//! What a command's decision sees and does.

use std::{collections::HashMap, mem, sync::Arc};

use crate::{
    row::{Draft, Key, Row},
    work::Current,
};

/// The rows that a command named, as they are when its turn comes, and the rows it puts.
pub struct Rows<'a> {
    now: i64,
    /// In order.
    named: Vec<&'a Key>,
    current: &'a Current,
    staged: HashMap<Key, Staged>,
    turn: usize,
    redactions: Vec<(Key, Redact)>,
}

/// A row that the decision puts.
pub(crate) struct Staged {
    pub(crate) row: Arc<Row>,
    /// Whether the feed tells of it.
    pub(crate) fed: bool,
    /// Where it stands among the rows put.
    turn: usize,
}

/// A row whose past is to be rewritten.
pub(crate) struct Redaction {
    pub(crate) key: Key,
    /// The first version that may stay.
    pub(crate) before_version: i64,
    pub(crate) redact: Redact,
}

impl Redaction {
    /// Whether it means this version of this row.
    pub(crate) fn means(&self, key: &Key, version: i64) -> bool {
        self.key == *key && version < self.before_version
    }
}

/// Makes an old document into one that may be kept.
type Redact = fn(&[u8]) -> Vec<u8>;

impl<'a> Rows<'a> {
    pub(crate) fn new(now: i64, named: &'a [Key], current: &'a Current) -> Self {
        let mut named: Vec<&Key> = named.iter().collect();
        named.sort_unstable();
        Self { now, named, current, staged: HashMap::new(), turn: 0, redactions: Vec::new() }
    }

    /// The time of this write, in microseconds since 1970.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Returns a row, deleted or not. Only rows whose keys the command named are ever found.
    pub fn get(&self, key: &Key) -> Option<&Row> {
        self.standing(key).map(|row| &**row)
    }

    /// As [`Rows::get`], to be shared.
    pub(crate) fn standing(&self, key: &Key) -> Option<&Arc<Row>> {
        self.staged.get(key).map(|staged| &staged.row).or_else(|| self.before(key))
    }

    /// Whether the decision has put this row so far, and it says anything new.
    pub fn has_put(&self, key: &Key) -> bool {
        self.staged.contains_key(key)
    }

    /// Puts a row, if it says anything new. Answers with what stands now.
    ///
    /// # Panics
    /// If the command did not name the key, because the row was neither read nor locked then. Like every panic in a
    /// decision it is answered with [`crate::Error::Panicked`].
    pub fn put(&mut self, key: Key, draft: Draft) -> Arc<Row> {
        self.stage(key, draft, true)
    }

    /// Puts a row that is nobody's resource, such as a note that later decisions look at: the feed does not tell of it.
    ///
    /// # Panics
    /// As [`Rows::put`] does.
    pub fn put_unfed(&mut self, key: Key, draft: Draft) -> Arc<Row> {
        self.stage(key, draft, false)
    }

    fn stage(&mut self, key: Key, draft: Draft, fed: bool) -> Arc<Row> {
        assert!(self.names(&key), "a decision put a row of `{}` that its command did not name", key.table);
        let staged = self.staged.get(&key);
        if let Some(staged) = staged
            && staged.row.says(&draft)
        {
            return staged.row.clone();
        }
        let fed = fed || staged.is_some_and(|staged| staged.fed);
        let before = self.before(&key);
        if let Some(before) = before
            && before.says(&draft)
        {
            // What was put in between is taken back.
            self.staged.remove(&key);
            return before.clone();
        }
        let row = Arc::new(Row {
            version: before.map_or(1, |row| row.version + 1),
            created_at: before.map_or(self.now, |row| row.created_at),
            recorded_at: self.now,
            deleted_at: match before.and_then(|row| row.deleted_at) {
                Some(at) if draft.deleted => Some(at),
                _ => draft.deleted.then_some(self.now),
            },
            state: draft.state,
            label: draft.label,
            happened_at: draft.happened_at,
            document: draft.document,
            key,
        });
        self.turn += 1;
        self.staged.insert(row.key.clone(), Staged { row: row.clone(), fed, turn: self.turn });
        row
    }

    /// Rewrites the row's past: in the feed, every version before the one that this command leaves gets the document that
    /// `redact` makes of it, and answers kept for its request ids are dropped. For erasing personal data.
    ///
    /// # Panics
    /// As [`Rows::put`] does.
    pub fn redact_past(&mut self, key: Key, redact: fn(&[u8]) -> Vec<u8>) {
        assert!(self.names(&key), "a decision erased a row of `{}` that its command did not name", key.table);
        self.redactions.push((key, redact));
    }

    /// Returns the row as the command found it.
    fn before(&self, key: &Key) -> Option<&'a Arc<Row>> {
        self.names(key).then(|| self.current.get(key)).flatten()
    }

    fn names(&self, key: &Key) -> bool {
        self.named.binary_search(&key).is_ok()
    }

    /// Returns what was put, in order, and what is to be redacted.
    pub(crate) fn into_parts(mut self) -> (Vec<Staged>, Vec<Redaction>) {
        let redactions = mem::take(&mut self.redactions).into_iter().map(|(key, redact)| {
            let before_version = self.get(&key).map_or(i64::MAX, |row| row.version);
            Redaction { key, before_version, redact }
        });
        let redactions = redactions.collect();
        let mut staged: Vec<Staged> = self.staged.into_values().collect();
        staged.sort_unstable_by_key(|staged| staged.turn);
        (staged, redactions)
    }
}
