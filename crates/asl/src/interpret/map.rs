//! The start of a Map state: which items, what each iteration gets, how many run at once.

use std::collections::VecDeque;
use std::sync::Arc;

use serde_json::Value;

use super::context::map_item;
use super::data::Data;
use super::run::{Child, Origin, ScopeId};
use super::turn::Turn;
use crate::definition::{CONCURRENCY_MAX, Map, State};
use crate::errors::Failure;
use crate::history::HistoryKind;
use crate::path::Documents;

impl Turn<'_> {
    pub(super) fn start_map(
        &mut self,
        scope: ScopeId,
        state: &State,
        map: &Map,
    ) -> Result<(), Failure> {
        let data = self.data(scope, state)?;
        let limit = concurrency(&data, map)?;
        let iterations = items(&data, map)?
            .iter()
            .enumerate()
            .map(|(index, item)| iteration(scope, &data, map, index, item))
            .collect::<Result<VecDeque<_>, _>>()?;
        self.record_about(scope, HistoryKind::MapStateStarted);
        self.start_children(scope, iterations, limit);
        Ok(())
    }
}

fn concurrency(data: &Data, map: &Map) -> Result<usize, Failure> {
    let unlimited = usize::MAX;
    match &map.max_concurrency {
        None => Ok(unlimited),
        Some(count) => match data.count(count, "MaxConcurrencyPath", 0, CONCURRENCY_MAX)? {
            0 => Ok(unlimited),
            limit => Ok(usize::try_from(limit).unwrap_or(unlimited)),
        },
    }
}

fn items<'a>(data: &'a Data, map: &Map) -> Result<&'a Vec<Value>, Failure> {
    let items = map.items_path.get(data.documents(), "ItemsPath")?;
    items.as_array().ok_or_else(|| {
        Failure::runtime(format!(
            "Reference path \"{}\" must point to array.",
            map.items_path
        ))
    })
}

fn iteration(
    parent: ScopeId,
    data: &Data,
    map: &Map,
    index: usize,
    item: &Value,
) -> Result<Child, Failure> {
    Ok(Child {
        flow: Arc::clone(&map.processor),
        origin: Origin::Iteration {
            parent,
            index,
            item: item.clone(),
        },
        input: item_input(data, map, index, item)?,
    })
}

/// What an iteration starts from: the item, or what `ItemSelector` makes of it.
fn item_input(data: &Data, map: &Map, index: usize, item: &Value) -> Result<Value, Failure> {
    let Some(selector) = &map.item_selector else {
        return Ok(item.clone());
    };
    let mut context = data.context.clone();
    context["Map"] = map_item(index, item);
    selector.fill(Documents {
        context: &context,
        ..data.documents()
    })
}
