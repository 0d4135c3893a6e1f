//! What lists are asked with: filters, orders and names.

use methods::Collection;

/// A filter and an order: what is read says the same when it is written anew; what is not is located.
pub fn filter(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match aggregator::fuzzing::filter(&text) {
        Ok(comparisons) => {
            for [field, operator, value] in &comparisons {
                assert!(is_column(field), "{field}");
                assert!(["<", "<=", ">", ">=", "=", "!="].contains(&operator.as_str()), "{operator}");
                assert!(value.starts_with('"') || value.parse::<f64>().is_ok_and(f64::is_finite), "{value}");
            }
            let written: Vec<String> = comparisons.iter().map(|comparison| comparison.join(" ")).collect();
            let written = written.join(" AND ");
            match aggregator::fuzzing::filter(&written) {
                Ok(again) => assert_eq!(again, comparisons, "{written}"),
                // Short ways of writing large numbers are no longer short.
                Err(fault) => assert!(written.len() > 2_048, "{written}: {fault}"),
            }
        }
        Err(fault) => {
            assert_eq!(fault.reason(), "ERROR_REASON_FILTER_INVALID");
            assert_eq!(fault.violations().len(), 1);
            assert_eq!(fault.violations()[0].field, "filter");
            let [("position", position)] = fault.metadata() else { panic!("no position: {fault:?}") };
            assert!(text.is_char_boundary(position.parse().unwrap()) || text.len() > 2_048, "{position} in {text}");
        }
    }
    match aggregator::fuzzing::order(&text) {
        Ok((None, descending)) => assert!(text.trim().is_empty() && !descending),
        Ok((Some(figure), descending)) => {
            let field = text.split_whitespace().next().unwrap();
            assert!(is_column(field) && (figure == field || field == "stage"), "{figure}");
            let written = if descending { format!("{field} desc") } else { field.to_owned() };
            assert_eq!(aggregator::fuzzing::order(&written).unwrap(), (Some(figure), descending));
        }
        Err(fault) => assert_eq!(fault.reason(), "ERROR_REASON_FILTER_INVALID"),
    }
}

fn is_column(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

/// A resource name: what is read of it makes the same name again, and no other collection has it.
pub fn name(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let collections = [
        Collection::Accounts,
        Collection::OfAccount("orders"),
        Collection::OfAccount("competitorOffers"),
        Collection::OfTenant("themes"),
        Collection::OfTenant("improvements"),
    ];
    let mut homes = 0;
    for collection in collections {
        if let Some((account, id)) = collection.parse(&text) {
            homes += 1;
            assert_eq!(collection.name(account, id), text);
            assert!([account, id].into_iter().all(|id| id.is_empty() || methods::is_id(id)), "{text}");
            assert!(text.is_ascii() && text.len() <= 300, "{text}");
        }
    }
    assert!(homes <= 1, "{text} is of more than one collection");
    let account = methods::account_id(&text);
    assert_eq!(account, Collection::Accounts.parse(&text).map(|(account, _)| account));
    if let Some(account) = account {
        assert_eq!(methods::account_name(account), text);
    }
}
