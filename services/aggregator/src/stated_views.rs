//! Stated views: how persons see a relationship, beside the computed views and never part of any score.
//!
//! They are few and every assessment shows those that stand, so all of them are held in memory: read as the service
//! starts, and brought up to date after each commit, before the write is answered. Other processes over the same database
//! hear of it by [`crate::documents`], within a second.

mod handlers;
mod rows;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use contracts::assessments::v1::StatedView;
use methods::{Meta, Resource as _, to_micros};

pub(crate) use rows::{ERASED, VIEWS, erase};

/// The stated views of every tenant. Cheap to clone; all clones hold the same.
#[derive(Clone, Default)]
pub(crate) struct StatedViews {
    tenants: Arc<RwLock<HashMap<String, Tenant>>>,
}

#[derive(Default)]
struct Tenant {
    /// By the account that the view names.
    views: HashMap<String, Vec<StatedView>>,
    /// Who answers for whom.
    merged: HashMap<String, String>,
    duplicates: HashMap<String, BTreeSet<String>>,
    erased: HashSet<String>,
}

impl StatedViews {
    /// The views that stood at a time of what was known by another, of an account and of those merged into it: the latest
    /// of each author, latest first, each as it was stated. `together` names the accounts that were one then, where it is
    /// not those that are one now.
    pub(crate) fn standing(
        &self,
        tenant: &str,
        account: &str,
        together: Option<&BTreeSet<String>>,
        now: i64,
        known_at: Option<i64>,
    ) -> Vec<StatedView> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let Some(tenant) = tenants.get(tenant).filter(|tenant| !tenant.views.is_empty()) else { return Vec::new() };
        let known = now.min(known_at.unwrap_or(now));
        let mut latest: BTreeMap<&str, &StatedView> = BTreeMap::new();
        let stood = |view: &&StatedView| {
            created_at(view) <= known
                && view.delete_time.as_ref().is_none_or(|time| to_micros(time) > known)
                && view.expire_time.as_ref().is_some_and(|time| to_micros(time) > now)
        };
        let views: Vec<&StatedView> = match together {
            Some(accounts) => accounts.iter().flat_map(|account| tenant.of(account)).collect(),
            None => tenant.of_all(account).collect(),
        };
        for view in views.into_iter().filter(stood) {
            let held = latest.entry(&view.author).or_insert(view);
            if order(view) < order(held) {
                *held = view;
            }
        }
        let mut standing: Vec<StatedView> = latest.into_values().map(as_stated).collect();
        standing.sort_by(|one, other| order(one).cmp(&order(other)));
        standing
    }

    /// All views of an account and of those merged into it, latest first, withdrawn ones too if so asked.
    pub(crate) fn of(&self, tenant: &str, account: &str, show_deleted: bool) -> Vec<StatedView> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let Some(tenant) = tenants.get(tenant) else { return Vec::new() };
        let account = tenant.merged.get(account).map_or(account, String::as_str);
        let views = tenant.of_all(account).filter(|view| show_deleted || view.delete_time.is_none());
        let mut views: Vec<StatedView> = views.cloned().collect();
        views.sort_by(|one, other| order(one).cmp(&order(other)));
        views
    }

    /// Holds a view, unless a later version of it is held already or its account was erased.
    pub(crate) fn hold(&self, tenant: &str, account: &str, view: StatedView) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.entry(tenant.to_owned()).or_default();
        if tenant.erased.contains(account) {
            return;
        }
        let views = tenant.views.entry(account.to_owned()).or_default();
        match views.iter_mut().find(|held| held.name == view.name) {
            Some(held) if held.version < view.version => *held = view,
            Some(_) => {}
            None => views.push(view),
        }
    }

    /// Forgets the views of an account, for ever.
    pub(crate) fn forget(&self, tenant: &str, account: &str) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.entry(tenant.to_owned()).or_default();
        tenant.views.remove(account);
        tenant.erased.insert(account.to_owned());
    }

    /// Lets another account answer for a duplicate, and for those that were merged into it before.
    pub(crate) fn merge(&self, tenant: &str, duplicate: &str, into: &str) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let tenant = tenants.entry(tenant.to_owned()).or_default();
        let mut moved = tenant.duplicates.remove(duplicate).unwrap_or_default();
        moved.insert(duplicate.to_owned());
        for account in moved {
            if let Some(before) = tenant.merged.insert(account.clone(), into.to_owned())
                && let Some(others) = tenant.duplicates.get_mut(&before)
            {
                others.remove(&account);
            }
            tenant.duplicates.entry(into.to_owned()).or_default().insert(account);
        }
    }

    /// Lets each duplicate answer for itself again.
    pub(crate) fn forget_merges(&self) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        for tenant in tenants.values_mut() {
            tenant.merged.clear();
            tenant.duplicates.clear();
        }
    }
}

impl Tenant {
    fn of(&self, account: &str) -> impl Iterator<Item = &StatedView> {
        self.views.get(account).into_iter().flatten()
    }

    fn of_all(&self, account: &str) -> impl Iterator<Item = &StatedView> {
        let duplicates = self.duplicates.get(account).into_iter().flatten();
        self.of(account).chain(duplicates.flat_map(|duplicate| self.of(duplicate)))
    }
}

fn created_at(view: &StatedView) -> i64 {
    view.create_time.as_ref().map_or(0, to_micros)
}

/// Latest first.
fn order(view: &StatedView) -> (Reverse<i64>, Reverse<&str>) {
    (Reverse(created_at(view)), Reverse(&view.name))
}

/// A view as it was before it was withdrawn: what came later is not known then.
fn as_stated(view: &StatedView) -> StatedView {
    let mut stated = view.clone();
    let created_at = created_at(view);
    stated.stamp(Meta { name: view.name.clone(), created_at, recorded_at: created_at, deleted_at: None, version: 1 });
    stated
}

#[cfg(test)]
mod tests {
    use methods::from_micros;

    use super::*;

    fn view(account: &str, id: &str, author: &str, created_at: i64, expires_at: i64) -> StatedView {
        let mut view = StatedView {
            author: author.to_owned(),
            expire_time: Some(from_micros(expires_at)),
            ..StatedView::default()
        };
        let name = format!("accounts/{account}/statedViews/{id}");
        view.stamp(Meta { name, created_at, recorded_at: created_at, deleted_at: None, version: 1 });
        view
    }

    fn withdrawn(view: &StatedView, at: i64) -> StatedView {
        let mut view = view.clone();
        let (name, created_at) = (view.name.clone(), created_at(&view));
        view.stamp(Meta { name, created_at, recorded_at: at, deleted_at: Some(at), version: 2 });
        view
    }

    fn ids(views: &[StatedView]) -> Vec<&str> {
        views.iter().map(|view| view.name.rsplit('/').next().unwrap()).collect()
    }

    #[test]
    fn the_latest_view_of_each_author_stands_until_it_expires_or_is_withdrawn() {
        let views = StatedViews::default();
        let [first, second, other] =
            [view("a", "1", "ann", 10, 100), view("a", "2", "ann", 20, 50), view("a", "3", "bob", 15, 100)];
        for view in [&second, &first, &other] {
            views.hold("t", "a", view.clone());
        }
        views.hold("t", "a", withdrawn(&other, 30));
        // What is older comes too late.
        views.hold("t", "a", other.clone());
        let standing = |now, known_at| views.standing("t", "a", None, now, known_at);
        for (now, expected) in [
            (9, vec![]),
            (10, vec!["1"]),
            (19, vec!["3", "1"]),
            (29, vec!["2", "3"]),
            (30, vec!["2"]),
            (49, vec!["2"]),
            (50, vec!["1"]),
            (100, vec![]),
        ] {
            assert_eq!(ids(&standing(now, None)), expected, "at {now}");
            assert_eq!(ids(&standing(now, Some(now))), expected, "known at {now}");
        }
        // As it was stated, whatever became of it.
        assert_eq!(standing(29, None)[1], other);
        assert_eq!(ids(&standing(200, Some(29))), Vec::<&str>::new(), "expired by the time that is assessed");
        assert_eq!(ids(&standing(45, Some(29))), ["2", "3"], "its withdrawal was not known then");
        assert_eq!(standing(29, Some(5)), []);
        assert_eq!(ids(&views.of("t", "a", false)), ["2", "1"]);
        assert_eq!(ids(&views.of("t", "a", true)), ["2", "3", "1"]);
        assert_eq!(views.of("u", "a", true), []);
    }

    #[test]
    fn the_account_that_answers_shows_what_was_said_of_its_duplicates() {
        let views = StatedViews::default();
        for (account, id) in [("a", "1"), ("b", "2"), ("c", "3")] {
            views.hold("t", account, view(account, id, id, 10, 100));
        }
        views.merge("t", "a", "b");
        assert_eq!(ids(&views.standing("t", "b", None, 20, None)), ["2", "1"]);
        views.merge("t", "b", "c");
        for account in ["a", "b", "c"] {
            assert_eq!(ids(&views.of("t", account, false)), ["3", "2", "1"], "of {account}");
        }
        assert_eq!(ids(&views.standing("t", "c", None, 20, None)), ["3", "2", "1"]);
        // Once more, as a feed may tell it.
        views.merge("t", "a", "c");
        assert_eq!(ids(&views.standing("t", "c", None, 20, None)), ["3", "2", "1"]);
        let apart = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        assert_eq!(ids(&views.standing("t", "b", Some(&apart), 20, Some(15))), ["2", "1"], "they were apart then");
        views.forget_merges();
        assert_eq!(ids(&views.standing("t", "c", None, 20, None)), ["3"]);
    }

    #[test]
    fn of_an_account_that_was_erased_nothing_is_held_again() {
        let views = StatedViews::default();
        views.hold("t", "a", view("a", "1", "ann", 10, 100));
        views.forget("t", "a");
        // A write that was on its way.
        views.hold("t", "a", view("a", "2", "ann", 10, 100));
        assert_eq!(views.of("t", "a", true), []);
    }
}
