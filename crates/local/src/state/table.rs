//! A table of records that remembers what a transaction changed, so that it can be stored or undone as a whole.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::{Change, Contents};

/// What a table holds.
pub(crate) trait Record: Clone + Serialize + DeserializeOwned {
    /// The table's name in the store. It is part of the stored format.
    const TABLE: &'static str;
}

/// Records by key.
#[derive(Clone, Debug)]
pub(crate) struct Table<R> {
    rows: BTreeMap<String, R>,
    /// What the rows that this transaction touched were before it.
    before: Before<R>,
}

/// What rows were before a transaction, by key; none for those that it made.
pub(crate) type Before<R> = BTreeMap<String, Option<R>>;

impl<R: Record> Table<R> {
    /// The table as it was stored.
    pub(crate) fn load(contents: &Contents) -> Result<Self, serde_json::Error> {
        let stored = contents.get(R::TABLE).into_iter().flatten();
        let rows = stored.map(|(key, json)| Ok((key.clone(), serde_json::from_str(json)?)));
        Ok(Self {
            rows: rows.collect::<Result<_, serde_json::Error>>()?,
            before: BTreeMap::new(),
        })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&R> {
        self.rows.get(key)
    }

    /// All rows, in the order of their keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &R)> {
        self.rows.iter().map(|(key, row)| (key.as_str(), row))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &R> {
        self.rows.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn insert(&mut self, key: impl Into<String>, row: R) {
        let key = key.into();
        self.remember(&key);
        self.rows.insert(key, row);
    }

    /// The row, to be changed.
    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut R> {
        self.remember(key);
        self.rows.get_mut(key)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<R> {
        self.remember(key);
        self.rows.remove(key)
    }

    /// What this transaction changed, as it is to be stored.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.before.keys().map(|key| Change {
            table: R::TABLE,
            key: key.clone(),
            json: self.rows.get(key).map(|row| {
                serde_json::to_string(row)
                    .expect("records have string keys and finite numbers only")
            }),
        })
    }

    /// The rows that this transaction touched, as they were and as they are.
    pub(crate) fn touched(&self) -> impl Iterator<Item = (Option<&R>, Option<&R>)> {
        let touched = self.before.iter();
        touched.map(|(key, before)| (before.as_ref(), self.rows.get(key)))
    }

    /// Ends the transaction and keeps its changes; returns what undoes them.
    pub(crate) fn keep(&mut self) -> Before<R> {
        std::mem::take(&mut self.before)
    }

    /// Ends the transaction and takes its changes back.
    pub(crate) fn undo(&mut self) {
        let before = std::mem::take(&mut self.before);
        self.put_back(before);
    }

    /// Makes rows what they were.
    pub(crate) fn put_back(&mut self, before: Before<R>) {
        for (key, row) in before {
            match row {
                Some(row) => self.rows.insert(key, row),
                None => self.rows.remove(&key),
            };
        }
    }

    fn remember(&mut self, key: &str) {
        if !self.before.contains_key(key) {
            self.before
                .insert(key.to_owned(), self.rows.get(key).cloned());
        }
    }
}
