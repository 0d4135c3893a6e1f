//! The models of each tenant, and which of them it chose for which accounts. While a fit to the tenant's portfolio is in use,
//! each of them measures what customers do by what that expects.
//!
//! They are few and every assessment needs one, so all of them are held in memory: read as the service starts, and brought
//! up to date after each commit, before the write is answered. Other processes over the same database hear of it by
//! [`crate::documents`], within a second.

mod handlers;
mod rows;

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, PoisonError, RwLock},
};

use dynamics::{Expectation, Model};
use tokio::sync::Notify;

pub(crate) use handlers::read_document;
pub(crate) use rows::{CHOICES, MODELS};

/// The models of every tenant. Cheap to clone; all clones hold the same.
#[derive(Clone, Default)]
pub(crate) struct Models {
    built_in: Arc<Model>,
    tenants: Arc<RwLock<HashMap<String, Tenant>>>,
    chosen: Arc<Notify>,
}

#[derive(Default)]
struct Tenant {
    recorded: BTreeMap<String, Recorded>,
    /// By segment; the one of the empty segment holds for all segments without.
    choices: BTreeMap<String, Choice>,
    /// What the fit in use expects.
    expectation: Option<Expectation>,
    /// The models of the tenant that were asked for, by id, measuring by that.
    expecting: HashMap<String, Arc<Model>>,
}

/// A model that a tenant recorded.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) model: Arc<Model>,
    pub(crate) document: Arc<str>,
    /// In microseconds since 1970; none for the built-in one.
    pub(crate) created_at: Option<i64>,
}

/// What a tenant chose for a segment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choice {
    /// Grows with each choice for the segment.
    pub(crate) version: i64,
    /// The model's id; none if the choice was taken back.
    pub(crate) model: Option<String>,
}

impl Models {
    /// The model that assesses the accounts of a segment: the segment's choice, else the tenant's, else the built-in one.
    pub(crate) fn of(&self, tenant: &str, segment: &str) -> Arc<Model> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = tenants.get(tenant) else { return self.built_in.clone() };
        let chosen = |segment| self.chosen(held, segment);
        let chosen = chosen(segment).or_else(|| chosen("")).unwrap_or(&self.built_in);
        match (&held.expectation, held.expecting.get(chosen.id())) {
            (None, _) => chosen.clone(),
            (Some(_), Some(expecting)) => expecting.clone(),
            (Some(_), None) => {
                let chosen = chosen.clone();
                drop(tenants);
                self.expecting(tenant, chosen)
            }
        }
    }

    /// The model of this id, as the tenant's fit in use has it measure.
    pub(crate) fn find(&self, tenant: &str, id: &str) -> Option<Arc<Model>> {
        self.recorded(tenant, id).map(|recorded| self.expecting(tenant, recorded.model))
    }

    /// A model that is not recorded, as the tenant's fit in use has it measure.
    pub(crate) fn measuring(&self, tenant: &str, model: Model) -> Arc<Model> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let expectation = tenants.get(tenant).and_then(|held| held.expectation.clone());
        Arc::new(if expectation.is_some() { model.expecting(expectation) } else { model })
    }

    /// A recorded model, as the tenant's fit in use has it measure. Made once for each fit.
    fn expecting(&self, tenant: &str, model: Arc<Model>) -> Arc<Model> {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = tenants.get_mut(tenant) else { return model };
        let Some(expectation) = &held.expectation else { return model };
        let expecting = held.expecting.entry(model.id().to_owned());
        expecting.or_insert_with(|| Arc::new(model.expecting(Some(expectation.clone())))).clone()
    }

    /// The model that assesses the accounts of a segment, measuring by each customer alone.
    pub(crate) fn plain(&self, tenant: &str, segment: &str) -> Arc<Model> {
        let model = self.of(tenant, segment);
        self.without_expectation(tenant, &model)
    }

    /// A model, measuring by each customer alone.
    pub(crate) fn without_expectation(&self, tenant: &str, model: &Arc<Model>) -> Arc<Model> {
        match model.expectation() {
            None => model.clone(),
            Some(_) => {
                let recorded = self.recorded(tenant, model.id()).map(|recorded| recorded.model);
                recorded.unwrap_or_else(|| Arc::new(model.expecting(None)))
            }
        }
    }

    /// Has the models of a tenant measure by what a fit expects, or by each customer alone.
    pub(crate) fn expect(&self, tenant: &str, expectation: Option<Expectation>) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let held = tenants.entry(tenant.to_owned()).or_default();
        if held.expectation != expectation {
            held.expectation = expectation;
            held.expecting.clear();
            self.chosen.notify_one();
        }
    }

    /// The model of this id, with its document.
    pub(crate) fn recorded(&self, tenant: &str, id: &str) -> Option<Recorded> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let recorded = tenants.get(tenant).and_then(|tenant| tenant.recorded.get(id)).cloned();
        recorded.or_else(|| (id == self.built_in.id()).then(|| self.built_in()))
    }

    /// The built-in model, with its document.
    pub(crate) fn built_in(&self) -> Recorded {
        Recorded { model: self.built_in.clone(), document: Model::DEFAULT_TEXT.into(), created_at: None }
    }

    /// At most so many of the models that a tenant recorded, by id, after this one.
    pub(crate) fn recorded_after(&self, tenant: &str, after: &str, limit: usize) -> Vec<Recorded> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let Some(tenant) = tenants.get(tenant) else { return Vec::new() };
        let beyond = (std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded);
        tenant.recorded.range::<str, _>(beyond).map(|(_, recorded)| recorded.clone()).take(limit).collect()
    }

    /// The segments that a tenant chose this model for, in order; the empty one if it chose it for all others.
    pub(crate) fn segments(&self, tenant: &str, id: &str) -> Vec<String> {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let choices = tenants.get(tenant).map(|tenant| &tenant.choices);
        let of_model = |choice: &Choice| choice.model.as_deref() == Some(id);
        let segments = choices.into_iter().flatten().filter(|(_, choice)| of_model(choice));
        segments.map(|(segment, _)| segment.clone()).collect()
    }

    /// Names all choices that hold: as long as it is the same, the same model assesses each account by the same fit.
    pub(crate) fn fingerprint(&self) -> String {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        let mut choices = Vec::new();
        for (name, tenant) in tenants.iter() {
            for (segment, choice) in &tenant.choices {
                choices.extend(choice.model.as_ref().map(|model| (name, segment.as_str(), model.as_str())));
            }
            // No id of a model has a slash.
            choices.extend(tenant.expectation.as_ref().map(|expectation| (name, "/", expectation.fit())));
        }
        choices.sort();
        format!("{}/{:016x}", self.built_in.id(), methods::list_fingerprint(&choices))
    }

    /// The choice for just this segment.
    fn chosen<'a>(&'a self, tenant: &'a Tenant, segment: &str) -> Option<&'a Arc<Model>> {
        let id = tenant.choices.get(segment)?.model.as_ref()?;
        match tenant.recorded.get(id) {
            Some(recorded) => Some(&recorded.model),
            None => (id == self.built_in.id()).then_some(&self.built_in),
        }
    }

    /// Holds a model.
    pub(crate) fn hold(&self, tenant: &str, recorded: Recorded) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let models = &mut tenants.entry(tenant.to_owned()).or_default().recorded;
        // It is immutable, so one that is held already is the same.
        models.entry(recorded.model.id().to_owned()).or_insert(recorded);
    }

    /// Holds a choice, unless a later one for the segment is held already.
    pub(crate) fn choose(&self, tenant: &str, segment: &str, choice: Choice) {
        let mut tenants = self.tenants.write().unwrap_or_else(PoisonError::into_inner);
        let choices = &mut tenants.entry(tenant.to_owned()).or_default().choices;
        let held = choices.entry(segment.to_owned()).or_insert(Choice { version: 0, model: None });
        if choice.version > held.version {
            *held = choice;
            self.chosen.notify_one();
        }
    }

    /// Waits until another choice is held than when this was waited for last. For one task.
    pub(crate) async fn another_choice(&self) {
        self.chosen.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn models() -> Models {
        let models = Models::default();
        for id in ["b", "a"] {
            let document = Model::DEFAULT_TEXT.replace("id = \"default-2\"", &format!("id = \"{id}\""));
            let model = Arc::new(Model::parse(&document).unwrap());
            models.hold("t", Recorded { model, document: document.into(), created_at: Some(0) });
        }
        models
    }

    fn choose(models: &Models, segment: &str, version: i64, model: Option<&str>) {
        models.choose("t", segment, Choice { version, model: model.map(str::to_owned) });
    }

    #[test]
    fn the_nearest_choice_holds() {
        let models = models();
        let of = |segment: &str| models.of("t", segment).id().to_owned();
        assert_eq!(of("gold"), "default-2");
        choose(&models, "gold", 1, Some("a"));
        choose(&models, "", 1, Some("b"));
        choose(&models, "home", 1, Some("default-2"));
        assert_eq!([of("gold"), of("home"), of("other"), of("")], ["a", "default-2", "b", "b"]);
        choose(&models, "gold", 2, None);
        choose(&models, "gold", 1, Some("a"));
        assert_eq!(of("gold"), "b", "what was chosen before comes too late");
        assert_eq!(models.of("u", "gold").id(), "default-2");
        assert_eq!(
            (models.segments("t", "b"), models.segments("t", "default-2")),
            (vec![String::new()], vec!["home".into()])
        );
        assert!(
            models.find("t", "a").is_some()
                && models.find("u", "a").is_none()
                && models.find("u", "default-2").is_some()
        );
    }

    #[test]
    fn the_fingerprint_changes_with_each_choice_and_only_then() {
        let models = models();
        let before = models.fingerprint();
        choose(&models, "gold", 1, Some("a"));
        let after = models.fingerprint();
        assert_ne!(before, after);
        choose(&models, "gold", 2, Some("a"));
        assert_eq!(models.fingerprint(), after);
        choose(&models, "gold", 3, None);
        assert_eq!(models.fingerprint(), before);
    }
}
