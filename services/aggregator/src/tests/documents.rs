//! What the aggregator owns itself: models, choices and stated views.

use std::collections::BTreeSet;

use contracts::accounts::v1::{Account, AccountState};
use contracts::assessments::v1::StatedView;
use methods::from_micros;
use runtime::Shutdown;
use store::{Command, Draft, Key, RequestId};

use super::rules::{order, told};
use super::{NOW, Place, choose};
use crate::apply::Heard;
use crate::picture::Moment;
use crate::refresh::Refresher;
use crate::stated_views::{StatedViews, VIEWS};

impl Place {
    pub(super) fn refresher(&self, shutdown: &Shutdown) -> Refresher {
        let mut refresher = Refresher::new(self.gallery(), self.applier(), shutdown.clone());
        refresher.at_once = 2;
        refresher
    }

    /// With which model each standing of the first tenant was made, by account.
    async fn made_with(&self) -> Vec<(String, String)> {
        let page = self.reader().made_with(("", ""), i64::MAX).await.unwrap();
        page.into_iter().filter(|made| made.tenant == "one").map(|made| (made.account, made.model)).collect()
    }

    /// Stores a view and holds it, as CreateStatedView does.
    pub(super) async fn state(&self, account: &str, id: &str, author: &str) {
        let view = StatedView {
            author: author.to_owned(),
            rating: Some(80.0),
            reason: "knows us well".to_owned(),
            expire_time: Some(from_micros(1_000)),
            ..StatedView::default()
        };
        let key = Key { table: VIEWS.name, tenant: "one".to_owned(), account: account.to_owned(), id: id.to_owned() };
        let draft = Draft {
            state: String::new(),
            label: String::new(),
            happened_at: 0,
            deleted: false,
            document: prost::Message::encode_to_vec(&view),
        };
        let command = Command {
            tenant: key.tenant.clone(),
            keys: vec![key.clone()],
            request: Some(RequestId { id: id.to_owned(), fingerprint: vec![] }),
            decide: Box::new(move |rows| {
                rows.put(key.clone(), draft);
                Ok(key)
            }),
        };
        self.methods.store().write(command).await.unwrap();
    }

    /// Whether a text is found in any document that is kept.
    async fn tells(&self, text: &str) -> bool {
        let mut found = false;
        for table in ["stated_views", "changes", "requests"] {
            let rows = self.rows(&format!("select document from {table}")).await;
            found |= rows.iter().any(|row| {
                let document: Vec<u8> = sqlx::Row::get(row, 0);
                document.windows(text.len()).any(|part| part == text.as_bytes())
            });
        }
        found
    }
}

fn account(id: &str, segment: &str) -> Account {
    Account { name: format!("accounts/{id}"), segment: segment.to_owned(), ..Account::default() }
}

async fn on_each_database(rule: impl AsyncFn(&mut Place)) {
    for place in [Some(Place::sqlite().await), Place::postgres().await].into_iter().flatten() {
        let mut place = place;
        rule(&mut place).await;
        place.close().await;
    }
}

#[tokio::test]
async fn standings_follow_a_choice_and_go_on_after_a_restart() {
    on_each_database(async |place| {
        let accounts = ["a", "b", "c", "d", "e"];
        for (index, id) in accounts.iter().enumerate() {
            let segment = if index % 2 == 0 { "gold" } else { "" };
            place.apply(&[told("one", id, 1, account(id, segment)), told("one", id, 1, order(id, 1))]).await;
        }
        let shutdown = Shutdown::new();
        place.refresher(&shutdown).follow_choices().await.unwrap();
        let with = |gold: &str, other: &str| {
            let model = |index: usize| if index.is_multiple_of(2) { gold } else { other }.to_owned();
            accounts.iter().enumerate().map(|(index, id)| ((*id).to_owned(), model(index))).collect::<Vec<_>>()
        };
        assert_eq!(place.made_with().await, with("quick", "calm"));
        let before = place.kept().await;

        choose(&place.models, 2, [("one", "gold", Some("long")), ("one", "", None)]);
        // The process ends after the first page.
        shutdown.begin();
        place.refresher(&shutdown).follow_choices().await.unwrap();
        let half_way = place.made_with().await;
        assert_eq!(half_way[..2], with("long", "default-2")[..2]);
        assert_eq!(half_way[2..], with("quick", "calm")[2..]);
        for id in accounts {
            let chosen = place.models.of("one", if id == "b" || id == "d" { "" } else { "gold" });
            let model = place.assess("one", id, NOW).await.unwrap().model;
            assert_eq!(model, format!("models/{}", chosen.id()), "whatever its standing says");
        }

        place.restart().await;
        place.refresher(&Shutdown::new()).follow_choices().await.unwrap();
        assert_eq!(place.made_with().await, with("long", "default-2"));
        place.check(&place.kept().await).await;

        choose(&place.models, 3, [("one", "gold", Some("quick")), ("one", "", Some("calm"))]);
        place.refresher(&Shutdown::new()).follow_choices().await.unwrap();
        assert_eq!(place.kept().await, before, "the same choice, the same bytes");
    })
    .await;
}

#[tokio::test]
async fn another_segment_is_another_model_from_then_on() {
    on_each_database(async |place| {
        place.apply(&[told("one", "a", 1, account("a", "gold")), told("one", "a", 1, order("a", 1))]).await;
        place.clock.set(5);
        place.apply(&[told("one", "a", 2, account("a", "home"))]).await;
        let model = async |moment| place.assess("one", "a", moment).await.unwrap().model;
        assert_eq!(model(NOW).await, "models/long");
        assert_eq!(model(Moment { as_of: Some(7), known_at: None }).await, "models/long", "as we now say of then");
        assert_eq!(model(Moment { as_of: None, known_at: Some(1) }).await, "models/quick");
        place.check(&place.kept().await).await;
    })
    .await;
}

#[tokio::test]
async fn stated_views_change_no_score() {
    on_each_database(async |place| {
        place.apply(&[told("one", "a", 1, order("a", 1)), told("one", "b", 1, order("b", 1))]).await;
        place.clock.set(100);
        let moments = [NOW, Moment { as_of: Some(100), known_at: None }, Moment { as_of: None, known_at: Some(100) }];
        let mut without = Vec::new();
        for moment in moments {
            without.push(place.assess("one", "a", moment).await.unwrap());
        }
        let kept = place.kept().await;
        place.state("a", "v", "ann@provider.example").await;
        place.restart().await;
        for (moment, without) in moments.into_iter().zip(without) {
            let mut with = place.assess("one", "a", moment).await.unwrap();
            assert_eq!(std::mem::take(&mut with.stated_views).len(), 1);
            assert_eq!(
                prost::Message::encode_to_vec(&with),
                prost::Message::encode_to_vec(&without),
                "byte by byte the same"
            );
        }
        place.apply(&[told("one", "a", 1, order("a", 1))]).await;
        assert_eq!(place.kept().await, kept);
        assert_eq!(place.assess("one", "b", NOW).await.unwrap().stated_views, []);
    })
    .await;
}

#[tokio::test]
async fn with_an_account_all_that_was_stated_of_it_is_erased() {
    on_each_database(async |place| {
        place.clock.set(10);
        place.apply(&[told("one", "a", 1, account("a", "")), told("one", "a", 1, order("a", 1))]).await;
        for (account, id, author) in [("a", "1", "ann"), ("a", "2", "bob"), ("b", "3", "eve")] {
            place.state(account, id, author).await;
        }
        place.restart().await;
        assert_eq!(place.assess("one", "a", NOW).await.unwrap().stated_views.len(), 2);
        assert!(place.tells("ann").await && place.tells("bob").await);

        let erased = Account { state: AccountState::Erased.into(), ..account("a", "") };
        // As after a process that ended before its transaction did: what is erased first is erased again.
        let accounts = BTreeSet::from([("one".to_owned(), "a".to_owned())]);
        crate::stated_views::erase(&place.methods, &place.views, &accounts).await.unwrap();
        place
            .applier()
            .apply(&[Heard { told: vec![told("one", "a", 2, erased)], topics: vec![], through: vec![] }])
            .await
            .unwrap();
        for restarted in [false, true] {
            assert_eq!(place.assess("one", "a", NOW).await.unwrap().stated_views, [], "restarted: {restarted}");
            assert_eq!(place.views.of("one", "a", true), []);
            place.restart().await;
        }
        assert!(!place.tells("ann").await && !place.tells("bob").await);
        assert!(place.tells("eve").await, "of another account");
        assert_eq!(StatedViews::load(&place.reader()).await.unwrap().of("one", "b", false).len(), 1);
    })
    .await;
}
