//! Field masks: which fields of a resource an update changes.

use std::sync::LazyLock;

use prost_reflect::{DescriptorPool, DynamicMessage, ReflectMessage as _, Value};
use prost_types::FieldMask;

use crate::{Resource, Violations};

static POOL: LazyLock<Option<DescriptorPool>> =
    LazyLock::new(|| DescriptorPool::decode(contracts::DESCRIPTOR_SET).ok());

/// Copies the fields that the mask names from `patch` into `current`. An empty mask names all that `patch` populates and
/// an update may change; `*` names all that an update may change. A message of which an update may change only some
/// fields (`payment.due_time`) is named for those.
pub(crate) fn apply<T: Resource>(
    current: &T,
    patch: &T,
    mask: Option<&FieldMask>,
    updatable: &[&str],
    violations: &mut Violations,
) -> Option<T> {
    let descriptor = POOL.as_ref()?.get_message_by_name(T::FULL_NAME)?;
    let mut result = DynamicMessage::decode(descriptor.clone(), current.encode_to_vec().as_slice()).ok()?;
    let patch = DynamicMessage::decode(descriptor, patch.encode_to_vec().as_slice()).ok()?;
    let paths: Vec<String> = match mask.map_or(&[][..], |mask| &mask.paths) {
        [] => updatable.iter().filter(|path| populates(&patch, path)).map(|path| (*path).to_owned()).collect(),
        [all] if all == "*" => updatable.iter().map(|path| (*path).to_owned()).collect(),
        paths => paths.to_vec(),
    };
    for path in paths {
        // What is answered stays short, whatever was asked.
        let shown: String = path.chars().take(100).collect();
        let inside: Vec<&str> = updatable.iter().copied().filter(|field| is_below(field, &path)).collect();
        if !inside.is_empty() {
            for field in inside {
                copy(&mut result, &patch, field);
            }
        } else if !updatable.iter().any(|field| *field == path || is_below(&path, field)) {
            violations.add("update_mask", format!("`{shown}` cannot be updated; these can: {}", updatable.join(", ")));
        } else if !copy(&mut result, &patch, &path) {
            violations.add("update_mask", format!("there is no field `{shown}`"));
        }
    }
    result.transcode_to().ok()
}

/// Whether a path leads to a field inside the message that another path names.
fn is_below(path: &str, message: &str) -> bool {
    path.strip_prefix(message).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether the message has something at a path.
fn populates(message: &DynamicMessage, path: &str) -> bool {
    let Some((first, rest)) = path.split_once('.') else { return message.has_field_by_name(path) };
    let inside = message.get_field_by_name(first).filter(|_| message.has_field_by_name(first));
    inside.is_some_and(|value| value.as_message().is_some_and(|message| populates(message, rest)))
}

/// Copies one path; false if there is no such field.
fn copy(target: &mut DynamicMessage, source: &DynamicMessage, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Some(field) = target.descriptor().get_field_by_name(first) else { return false };
    let Some(rest) = rest else {
        if source.has_field(&field) {
            target.set_field(&field, source.get_field(&field).into_owned());
        } else {
            target.clear_field(&field);
        }
        return true;
    };
    if field.is_list() || field.is_map() {
        return false;
    }
    let source = source.get_field(&field);
    match (target.get_field_mut(&field), source.as_ref()) {
        (Value::Message(target), Value::Message(source)) => copy(target, source, rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use contracts::{
        common::v1::Money,
        orders::v1::{Order, Payment, Placement},
    };
    use prost_types::Timestamp;

    use super::*;

    const UPDATABLE: [&str; 4] = ["total", "priority", "placement", "payment.due_time"];

    fn money(units: i64) -> Option<Money> {
        Some(Money { currency_code: "EUR".to_owned(), units, nanos: 0 })
    }

    fn updated(patch: Order, paths: &[&str]) -> (Order, Violations) {
        let current = Order {
            total: money(1),
            priority: true,
            placement: Some(Placement { attempts: 2, corrections: Some(1), ..Placement::default() }),
            payment: Some(Payment { paid: money(1), ..Payment::default() }),
            ..Order::default()
        };
        let mask = FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() };
        let mut violations = Violations::default();
        let result = apply(&current, &patch, Some(&mask), &UPDATABLE, &mut violations).unwrap();
        (result, violations)
    }

    #[test]
    fn only_named_fields_change() {
        let patch = Order {
            total: money(5),
            placement: Some(Placement { attempts: 7, ..Placement::default() }),
            ..Order::default()
        };
        let (order, violations) = updated(patch, &["placement.attempts", "priority"]);
        assert!(violations.is_empty());
        assert_eq!(order.total, money(1));
        assert!(!order.priority, "a named field that is not populated is cleared");
        assert_eq!(order.placement, Some(Placement { attempts: 7, corrections: Some(1), ..Placement::default() }));
    }

    #[test]
    fn without_a_mask_what_is_populated_changes() {
        let (order, _) = updated(Order { total: money(5), ..Order::default() }, &[]);
        assert_eq!((order.total, order.priority), (money(5), true));
    }

    #[test]
    fn of_a_message_only_the_fields_that_may_change_do() {
        let due_time = Some(Timestamp { seconds: 1, nanos: 0 });
        let payment = Some(Payment { due_time, paid: money(9), ..Payment::default() });
        for paths in [&["payment"][..], &["payment.due_time"], &["*"], &[]] {
            let (order, violations) = updated(Order { payment: payment.clone(), ..Order::default() }, paths);
            assert!(violations.is_empty());
            assert_eq!(order.payment, Some(Payment { due_time, paid: money(1), ..Payment::default() }), "{paths:?}");
        }
        let (_, violations) = updated(Order { payment, ..Order::default() }, &["payment.paid"]);
        assert!(!violations.is_empty());
    }

    #[test]
    fn unknown_and_output_only_paths_are_refused_together() {
        let (_, violations) = updated(Order::default(), &["state", "total.cents", "nonsense"]);
        assert_eq!(violations.finish().unwrap_err().violations().len(), 3);
    }
}
