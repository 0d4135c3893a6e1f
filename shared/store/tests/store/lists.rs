//! Lists: pages, filters and their order.

use super::*;

async fn all_pages(store: &Store, query: ListQuery) -> Result<Vec<(String, String)>> {
    let mut query = query;
    let mut found = Vec::new();
    loop {
        let page = store.list(&THINGS, &query).await?;
        assert!(page.rows.len() <= query.limit as usize);
        found.extend(page.rows.into_iter().map(|row| (row.key.account, row.key.id)));
        match page.next {
            Some(next) => {
                assert_eq!(found.last(), Some(&next));
                query.after = Some(next);
            }
            None => return Ok(found),
        }
    }
}

pub(super) async fn pages_neither_skip_nor_repeat(place: &Place) -> Result {
    let store = place.store().await?;
    let mut wanted = Vec::new();
    let mut batch = Vec::new();
    for account in ["", "a", "b", "c"] {
        for id in 0..7 {
            wanted.push((account.to_owned(), format!("{id}")));
            batch.push(put(&key(account, &id.to_string()), draft("x")));
            let theirs = Key { tenant: "u".into(), ..key(account, &id.to_string()) };
            batch.push(put(&theirs, draft("x")));
        }
    }
    store.write_batch(batch).await?;
    for limit in [1, 2, 3, 7, 27, 28, 29] {
        let query = ListQuery { tenant: "t".into(), limit, ..ListQuery::default() };
        assert_eq!(all_pages(&store, query.clone()).await?, wanted, "pages of {limit}");
        let of_b = ListQuery { account: Some("b".into()), ..query };
        assert_eq!(all_pages(&store, of_b).await?, wanted[14..21], "pages of {limit}");
    }
    // What is written between two pages does not disturb what stands.
    let query = ListQuery { tenant: "t".into(), limit: 10, ..ListQuery::default() };
    let page = store.list(&THINGS, &query).await?;
    store.write_batch(vec![put(&key("", "00"), draft("x")), put(&key("a", "20"), draft("x"))]).await?;
    let rest = all_pages(&store, ListQuery { after: page.next, ..query }).await?;
    assert_eq!(page.rows.len() + rest.len(), wanted.len() + 1);
    assert_eq!(rest[0], ("a".into(), "20".into()));
    Ok(())
}

pub(super) async fn a_list_is_filtered(place: &Place) -> Result {
    let store = place.store().await?;
    let mut batch = Vec::new();
    for number in 0..24_i64 {
        batch.push(put(
            &key("a", &format!("{number:02}")),
            Draft {
                state: if number % 2 == 0 { "even" } else { "odd" }.into(),
                label: if number % 3 == 0 { "third" } else { "" }.into(),
                happened_at: number,
                deleted: number % 4 == 0,
                document: Vec::new(),
            },
        ));
    }
    store.write_batch(batch).await?;
    let all = ListQuery { tenant: "t".into(), limit: 2, show_deleted: true, ..ListQuery::default() };
    let check = async |query: ListQuery, wanted: fn(i64) -> bool| -> Result {
        let wanted = (0..24).filter(|number| wanted(*number)).map(|number| ("a".to_owned(), format!("{number:02}")));
        assert_eq!(all_pages(&store, query.clone()).await?, wanted.collect::<Vec<_>>(), "{query:?}");
        Ok(())
    };
    check(all.clone(), |_| true).await?;
    check(ListQuery { show_deleted: false, ..all.clone() }, |n| n % 4 != 0).await?;
    check(ListQuery { state: Some("odd".into()), ..all.clone() }, |n| n % 2 == 1).await?;
    check(ListQuery { label: Some("third".into()), ..all.clone() }, |n| n % 3 == 0).await?;
    check(ListQuery { label: Some(String::new()), ..all.clone() }, |n| n % 3 != 0).await?;
    check(ListQuery { happened_from: Some(5), ..all.clone() }, |n| n >= 5).await?;
    check(ListQuery { happened_before: Some(20), ..all.clone() }, |n| n < 20).await?;
    let everything = ListQuery {
        account: Some("a".into()),
        show_deleted: false,
        state: Some("even".into()),
        label: Some("third".into()),
        happened_from: Some(5),
        happened_before: Some(20),
        ..all.clone()
    };
    check(everything, |n| n % 4 != 0 && n % 6 == 0 && (5..20).contains(&n)).await?;
    check(ListQuery { account: Some("b".into()), ..all }, |_| false).await
}

pub(super) async fn rows_are_ordered_by_bytes(place: &Place) -> Result {
    let store = place.store().await?;
    let mut ids =
        vec!["a", "B", "b", "A", "ä", "é", "z", "_", "-", "1", "10", "2", "", " ", "日本", "𝄞", "a b", "a-b", "ab"];
    store.write_batch(ids.iter().map(|id| put(&key("a", id), draft("x"))).collect()).await?;
    ids.sort_unstable();
    let query = ListQuery { tenant: "t".into(), limit: 3, ..ListQuery::default() };
    let found: Vec<String> = all_pages(&store, query).await?.into_iter().map(|(_, id)| id).collect();
    assert_eq!(found, ids);
    Ok(())
}

pub(super) async fn named_rows_come_together(place: &Place) -> Result {
    let store = place.store().await?;
    let keys: Vec<Key> = (0..150).map(|number| key(&(number % 5).to_string(), &number.to_string())).collect();
    store.write_batch(keys.iter().map(|key| put(key, draft(&key.id))).collect()).await?;
    let note = Key { table: "notes", ..key("0", "0") };
    store.write(put(&note, draft("note"))).await?;
    let mut asked = keys.clone();
    asked.extend([key("0", "absent"), note.clone(), Key { tenant: "u".into(), ..keys[0].clone() }, keys[0].clone()]);
    let found = store.batch_get(&asked).await?;
    assert_eq!(found.len(), 151);
    for key in &keys {
        assert_eq!(found.get(key).map(text).as_ref(), Some(&key.id));
    }
    assert_eq!(found.get(&note).map(text), Some("note".into()));
    assert!(store.batch_get(&[]).await?.is_empty());
    Ok(())
}
