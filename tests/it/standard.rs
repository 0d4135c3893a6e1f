//! What all resources do alike, told once: the stories of the standard methods, for whichever resource has a [`Sample`].

use std::fmt::Debug;

use tests::{Suite, refusal};
use tonic::{Code, Status};

/// The standard methods of one kind of resource, as one tenant sees them. Made by [`standard!`].
pub(crate) trait Standard: Sized {
    /// The resource.
    type Resource: Clone + Debug + PartialEq;
    /// What it is called in field paths.
    const KIND: &'static str;
    /// Where the samples live: `accounts/acme`, or empty for resources of the tenant.
    const PARENT: &'static str;
    /// The name of the collection.
    const COLLECTION: &'static str;

    fn of(suite: &Suite, tenant: &'static str) -> Self;
    fn meta(resource: &Self::Resource) -> Meta<'_>;
    /// Names the resource, and the version of it, that an update is meant for.
    fn aim(resource: Self::Resource, name: &str, etag: &str) -> Self::Resource;

    async fn create(
        &mut self,
        parent: &str,
        id: &str,
        resource: Option<Self::Resource>,
        request_id: &str,
    ) -> Result<Self::Resource, Status>;
    async fn get(&mut self, name: &str, show_deleted: bool) -> Result<Self::Resource, Status>;
    async fn batch_get(&mut self, names: &[&str]) -> Result<Vec<Self::Resource>, Status>;
    async fn list(&mut self, page: Page<'_>) -> Result<(Vec<Self::Resource>, String), Status>;
    async fn update(
        &mut self,
        resource: Option<Self::Resource>,
        mask: &[&str],
        request_id: &str,
    ) -> Result<Self::Resource, Status>;
    async fn delete(&mut self, name: &str, etag: &str, request_id: &str) -> Result<Self::Resource, Status>;
    async fn undelete(&mut self, name: &str, etag: &str, request_id: &str) -> Result<Self::Resource, Status>;

    fn name(id: &str) -> String {
        match Self::PARENT {
            "" => format!("{}/{id}", Self::COLLECTION),
            parent => format!("{parent}/{}/{id}", Self::COLLECTION),
        }
    }
}

/// What a resource looks like, right and wrong.
pub(crate) trait Sample: Standard {
    /// One that is taken.
    fn sample() -> Self::Resource;
    /// One with everything wrong that can be, and the fields to blame.
    fn spoilt() -> (Self::Resource, Vec<&'static str>);
    /// A field that an update may change, and a change of it.
    fn change(resource: &mut Self::Resource) -> &'static str;
    /// Makes what a sample needs to be there.
    async fn prepare(_suite: &Suite) {}
}

async fn start<S: Sample>() -> Suite {
    let suite = Suite::start().await;
    S::prepare(&suite).await;
    suite
}

/// What all resources have.
#[derive(Debug, PartialEq)]
pub(crate) struct Meta<'a> {
    pub(crate) name: &'a str,
    pub(crate) etag: &'a str,
    pub(crate) version: i64,
    pub(crate) deleted: bool,
}

/// A page of a list.
#[derive(Default)]
pub(crate) struct Page<'a> {
    pub(crate) parent: &'a str,
    pub(crate) size: i32,
    pub(crate) token: &'a str,
    pub(crate) show_deleted: bool,
}

/// Implements [`Standard`] over a client.
macro_rules! standard {
    ($wrapper:ident($client:ident, $open:ident) of $resource:ident as $field:ident in $parent_name:literal, $collection:literal {
        $create:ident($create_request:ident { $id:ident $(, $parent:ident)? }),
        $get:ident($get_request:ident),
        $batch_get:ident($batch_get_request:ident) -> $list_field:ident,
        $list:ident($list_request:ident),
        $update:ident($update_request:ident),
        $delete:ident($delete_request:ident),
        $undelete:ident($undelete_request:ident) $(,)?
    }) => {
        struct $wrapper {
            client: $client<runtime::Peer>,
            tenant: &'static str,
        }

        #[allow(clippy::needless_update, reason = "some requests have more fields than others")]
        impl $crate::standard::Standard for $wrapper {
            type Resource = $resource;
            const KIND: &'static str = stringify!($field);
            const PARENT: &'static str = $parent_name;
            const COLLECTION: &'static str = $collection;

            fn of(suite: &tests::Suite, tenant: &'static str) -> Self {
                Self { client: suite.$open(), tenant }
            }

            fn meta(resource: &$resource) -> $crate::standard::Meta<'_> {
                $crate::standard::Meta {
                    name: &resource.name,
                    etag: &resource.etag,
                    version: resource.version,
                    deleted: resource.delete_time.is_some(),
                }
            }

            fn aim(resource: $resource, name: &str, etag: &str) -> $resource {
                $resource { name: name.to_owned(), etag: etag.to_owned(), ..resource }
            }

            #[allow(unused_variables, reason = "resources of the tenant have no parent")]
            async fn create(
                &mut self,
                parent: &str,
                id: &str,
                resource: Option<$resource>,
                request_id: &str,
            ) -> Result<$resource, tonic::Status> {
                let request = $create_request {
                    $($parent: parent.to_owned(),)?
                    $id: id.to_owned(),
                    $field: resource,
                    request_id: request_id.to_owned(),
                };
                let answer = self.client.$create(tests::ask_as(self.tenant, request)).await?.into_inner();
                assert!(answer.freshness.is_some_and(|token| !token.value.is_empty()));
                Ok(answer.$field.unwrap())
            }

            async fn get(&mut self, name: &str, show_deleted: bool) -> Result<$resource, tonic::Status> {
                let request = $get_request { name: name.to_owned(), show_deleted };
                let answer = self.client.$get(tests::ask_as(self.tenant, request)).await?.into_inner();
                assert!(answer.freshness.is_some_and(|token| !token.value.is_empty()));
                Ok(answer.$field.unwrap())
            }

            async fn batch_get(&mut self, names: &[&str]) -> Result<Vec<$resource>, tonic::Status> {
                let request = $batch_get_request { names: names.iter().map(|name| (*name).to_owned()).collect() };
                let answer = self.client.$batch_get(tests::ask_as(self.tenant, request)).await?.into_inner();
                Ok(answer.$list_field)
            }

            async fn list(
                &mut self,
                page: $crate::standard::Page<'_>,
            ) -> Result<(Vec<$resource>, String), tonic::Status> {
                let request = $list_request {
                    $($parent: page.parent.to_owned(),)?
                    page_size: page.size,
                    page_token: page.token.to_owned(),
                    show_deleted: page.show_deleted,
                    ..$list_request::default()
                };
                let answer = self.client.$list(tests::ask_as(self.tenant, request)).await?.into_inner();
                Ok((answer.$list_field, answer.next_page_token))
            }

            async fn update(
                &mut self,
                resource: Option<$resource>,
                mask: &[&str],
                request_id: &str,
            ) -> Result<$resource, tonic::Status> {
                let paths: Vec<String> = mask.iter().map(|path| (*path).to_owned()).collect();
                let request = $update_request {
                    $field: resource,
                    update_mask: (!paths.is_empty()).then_some(prost_types::FieldMask { paths }),
                    request_id: request_id.to_owned(),
                };
                let answer = self.client.$update(tests::ask_as(self.tenant, request)).await?.into_inner();
                Ok(answer.$field.unwrap())
            }

            async fn delete(&mut self, name: &str, etag: &str, request_id: &str) -> Result<$resource, tonic::Status> {
                let request = $delete_request {
                    name: name.to_owned(),
                    etag: etag.to_owned(),
                    request_id: request_id.to_owned(),
                };
                let answer = self.client.$delete(tests::ask_as(self.tenant, request)).await?.into_inner();
                Ok(answer.$field.unwrap())
            }

            async fn undelete(&mut self, name: &str, etag: &str, request_id: &str) -> Result<$resource, tonic::Status> {
                let request = $undelete_request {
                    name: name.to_owned(),
                    etag: etag.to_owned(),
                    request_id: request_id.to_owned(),
                };
                let answer = self.client.$undelete(tests::ask_as(self.tenant, request)).await?.into_inner();
                Ok(answer.$field.unwrap())
            }
        }
    };
}
pub(crate) use standard;

/// The stories of the standard methods, as a module of tests.
macro_rules! standard_stories {
    ($module:ident of $sample:ident) => {
        mod $module {
            use super::$sample;

            #[tokio::test]
            async fn what_is_created_is_found_by_its_tenant_only() {
                $crate::standard::created_and_found::<$sample>().await;
            }

            #[tokio::test]
            async fn a_retry_of_a_creation_is_answered_with_what_stands() {
                $crate::standard::created_once::<$sample>().await;
            }

            #[tokio::test]
            async fn every_violation_of_a_creation_is_answered_at_once() {
                $crate::standard::created_right::<$sample>().await;
            }

            #[tokio::test]
            async fn an_update_changes_what_its_mask_names_of_the_version_it_was_meant_for() {
                $crate::standard::updated::<$sample>().await;
            }

            #[tokio::test]
            async fn what_is_deleted_is_gone_until_it_is_brought_back() {
                $crate::standard::deleted_and_brought_back::<$sample>().await;
            }

            #[tokio::test]
            async fn a_list_is_read_page_by_page() {
                $crate::standard::listed::<$sample>().await;
            }
        }
    };
}
pub(crate) use standard_stories;

/// Checks that a call was refused, and how. `reason` goes without its prefix.
#[track_caller]
pub(crate) fn assert_refused<T: Debug>(answer: Result<T, Status>, code: Code, reason: &str, fields: &[&str]) {
    let refused = refusal(&answer.expect_err("the call was to be refused"));
    let fields = fields.iter().map(|field| (*field).to_owned()).collect();
    assert_eq!(refused, (code, format!("ERROR_REASON_{reason}"), fields));
}

#[track_caller]
pub(crate) fn assert_not_found<T: Debug>(answer: Result<T, Status>) {
    assert_refused(answer, Code::NotFound, "NOT_FOUND", &[]);
}

#[track_caller]
pub(crate) fn assert_invalid<T: Debug>(answer: Result<T, Status>, fields: &[&str]) {
    assert_refused(answer, Code::InvalidArgument, "INVALID_FIELDS", fields);
}

#[track_caller]
pub(crate) fn assert_state_conflict<T: Debug>(answer: Result<T, Status>) {
    assert_refused(answer, Code::FailedPrecondition, "STATE_CONFLICT", &[]);
}

#[track_caller]
pub(crate) fn assert_outdated<T: Debug>(answer: Result<T, Status>) {
    assert_refused(answer, Code::Aborted, "ETAG_MISMATCH", &[]);
}

pub(crate) async fn created_and_found<S: Sample>() {
    let suite = start::<S>().await;
    let mut standard = S::of(&suite, "test");
    let one = standard.create(S::PARENT, "one", Some(S::sample()), "").await.unwrap();
    let other = standard.create(S::PARENT, "", Some(S::sample()), "").await.unwrap();
    assert_eq!((S::meta(&one).name, S::meta(&one).version), (S::name("one").as_str(), 1));
    let (one_name, other_name) = (S::meta(&one).name, S::meta(&other).name);
    assert!(other_name.starts_with(&S::name("")) && other_name != one_name);

    assert_eq!(standard.get(one_name, false).await.unwrap(), one);
    let both = standard.batch_get(&[other_name, one_name]).await.unwrap();
    assert_eq!(both, [other.clone(), one.clone()]);

    assert_not_found(standard.get(&S::name("nobody"), false).await);
    assert_not_found(standard.batch_get(&[one_name, &S::name("nobody")]).await);
    assert_invalid(standard.get("one", false).await, &["name"]);
    assert_invalid(standard.batch_get(&["one", one_name, "a/b"]).await, &["names[0]", "names[2]"]);
    assert_invalid(standard.batch_get(&[]).await, &["names"]);
    assert_invalid(standard.batch_get(&vec![one_name; 1_001]).await, &["names"]);

    let mut stranger = S::of(&suite, "stranger");
    assert_not_found(stranger.get(one_name, false).await);
    assert_eq!(stranger.list(Page { parent: S::PARENT, ..Page::default() }).await.unwrap().0, []);
    let mut nobody = S::of(&suite, "No Tenant");
    let field = "metadata.rapport-tenant";
    assert_refused(nobody.get(one_name, false).await, Code::InvalidArgument, "TENANT_INVALID", &[field]);
}

pub(crate) async fn created_once<S: Sample>() {
    let suite = start::<S>().await;
    let mut standard = S::of(&suite, "test");
    let mut changed = S::sample();
    S::change(&mut changed);

    let one = standard.create(S::PARENT, "one", Some(S::sample()), "").await.unwrap();
    assert_eq!(standard.create(S::PARENT, "one", Some(S::sample()), "").await.unwrap(), one);
    let other_content = standard.create(S::PARENT, "one", Some(changed.clone()), "").await;
    assert_refused(other_content, Code::AlreadyExists, "ALREADY_EXISTS", &[]);

    let chosen = standard.create(S::PARENT, "", Some(S::sample()), "r_1").await.unwrap();
    assert_eq!(standard.create(S::PARENT, "", Some(S::sample()), "r_1").await.unwrap(), chosen);
    let other_request = standard.create(S::PARENT, "", Some(changed), "r_1").await;
    assert_refused(other_request, Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]);

    // A name that was deleted is not free for another life.
    standard.delete(S::meta(&one).name, "", "").await.unwrap();
    let again = standard.create(S::PARENT, "one", Some(S::sample()), "").await;
    assert_refused(again, Code::AlreadyExists, "ALREADY_EXISTS", &[]);
}

pub(crate) async fn created_right<S: Sample>() {
    let suite = start::<S>().await;
    let mut standard = S::of(&suite, "test");
    let (spoilt, fields) = S::spoilt();
    let id_field = format!("{}_id", S::KIND);
    let mut blamed = vec![id_field.clone()];
    blamed.extend(fields.iter().map(|field| format!("{}.{field}", S::KIND)));
    blamed.push("request_id".to_owned());
    let blamed: Vec<&str> = blamed.iter().map(String::as_str).collect();
    let too_long = "r".repeat(65);
    assert_invalid(standard.create(S::PARENT, "a b", Some(spoilt), &too_long).await, &blamed);

    let nothing = standard.create("acme", "a/b", None, "").await.unwrap_err();
    let (code, _, fields) = refusal(&nothing);
    assert_eq!(code, Code::InvalidArgument);
    let parent = (!S::PARENT.is_empty()).then_some("parent");
    for field in [id_field.as_str(), S::KIND].into_iter().chain(parent) {
        assert!(fields.iter().any(|blamed| blamed == field), "{field} is not among {fields:?}");
    }
}

pub(crate) async fn updated<S: Sample>() {
    let suite = start::<S>().await;
    let mut standard = S::of(&suite, "test");
    let old = standard.create(S::PARENT, "one", Some(S::sample()), "").await.unwrap();
    let (name, etag) = (S::name("one"), S::meta(&old).etag);
    let mut patch = S::aim(S::sample(), &name, etag);
    let path = S::change(&mut patch);

    let new = standard.update(Some(patch.clone()), &[path], "r_1").await.unwrap();
    assert_eq!(S::meta(&new).version, 2);
    assert_ne!(S::meta(&new).etag, etag);
    let mut content = new.clone();
    S::change(&mut content);
    assert_eq!(content, new, "the change is in");
    assert_eq!(standard.get(&name, false).await.unwrap(), new);

    // A retry with the request id is answered as the first time; without, it comes too late.
    assert_eq!(standard.update(Some(patch.clone()), &[path], "r_1").await.unwrap(), new);
    assert_refused(
        standard.update(Some(patch.clone()), &[], "r_1").await,
        Code::InvalidArgument,
        "REQUEST_ID_REUSED",
        &["request_id"],
    );
    assert_outdated(standard.update(Some(patch.clone()), &[path], "").await);
    // What is so already is not changed again, with a mask and without.
    let same = S::aim(patch.clone(), &name, S::meta(&new).etag);
    assert_eq!(standard.update(Some(same.clone()), &[], "").await.unwrap(), new);
    assert_eq!(standard.update(Some(same.clone()), &["*"], "").await.unwrap(), new);

    let masked = standard.update(Some(same.clone()), &["version", "nonsense", path], "").await;
    assert_invalid(masked, &["update_mask", "update_mask"]);
    assert_invalid(standard.update(None, &[], "").await, &[S::KIND, &format!("{}.name", S::KIND)]);
    assert_not_found(standard.update(Some(S::aim(same, &S::name("nobody"), "")), &[path], "").await);
}

pub(crate) async fn deleted_and_brought_back<S: Sample>() {
    let suite = start::<S>().await;
    let mut standard = S::of(&suite, "test");
    let old = standard.create(S::PARENT, "one", Some(S::sample()), "").await.unwrap();
    let name = S::name("one");

    let deleted = standard.delete(&name, S::meta(&old).etag, "r_1").await.unwrap();
    assert!(S::meta(&deleted).deleted);
    assert_eq!(S::meta(&deleted).version, 2);
    assert_eq!(standard.delete(&name, "", "").await.unwrap(), deleted);
    assert_eq!(standard.delete(&name, S::meta(&old).etag, "r_1").await.unwrap(), deleted, "a retry");
    assert_outdated(standard.delete(&name, S::meta(&old).etag, "").await);

    assert_not_found(standard.get(&name, false).await);
    assert_not_found(standard.batch_get(&[&name]).await);
    assert_not_found(standard.update(Some(S::aim(S::sample(), &name, "")), &[], "").await);
    assert_eq!(standard.get(&name, true).await.unwrap(), deleted);
    assert_eq!(standard.list(Page { parent: S::PARENT, ..Page::default() }).await.unwrap().0, []);
    let with_deleted = Page { parent: S::PARENT, show_deleted: true, ..Page::default() };
    assert_eq!(standard.list(with_deleted).await.unwrap().0, std::slice::from_ref(&deleted));

    assert_outdated(standard.undelete(&name, S::meta(&old).etag, "").await);
    let back = standard.undelete(&name, S::meta(&deleted).etag, "r_2").await.unwrap();
    assert!(!S::meta(&back).deleted);
    assert_eq!(S::meta(&back).version, 3);
    assert_eq!(standard.undelete(&name, "", "").await.unwrap(), back);
    assert_eq!(standard.undelete(&name, S::meta(&deleted).etag, "r_2").await.unwrap(), back, "a retry");
    assert_eq!(standard.get(&name, false).await.unwrap(), back);

    let other = standard.delete(&name, "", "r_2").await;
    assert_refused(other, Code::InvalidArgument, "REQUEST_ID_REUSED", &["request_id"]);
    for nobody in
        [standard.delete(&S::name("nobody"), "", "").await, standard.undelete(&S::name("nobody"), "", "").await]
    {
        assert_not_found(nobody);
    }
    for malformed in [standard.delete("one", "", "").await, standard.undelete("one", "", "").await] {
        assert_invalid(malformed, &["name"]);
    }
}

pub(crate) async fn listed<S: Sample>() {
    let suite = start::<S>().await;
    let mut standard = S::of(&suite, "test");
    let mut all = Vec::new();
    for id in ["a", "b", "c", "d", "e"] {
        all.push(standard.create(S::PARENT, id, Some(S::sample()), "").await.unwrap());
    }
    let mut read = Vec::new();
    let mut sizes = Vec::new();
    let mut token = String::new();
    loop {
        let page = Page { parent: S::PARENT, size: 2, token: &token, ..Page::default() };
        let (resources, next) = standard.list(page).await.unwrap();
        sizes.push(resources.len());
        read.extend(resources);
        if next.is_empty() {
            break;
        }
        // A token belongs to its list.
        let page = Page { parent: S::PARENT, size: 2, token: &next, show_deleted: true };
        assert_refused(standard.list(page).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
        token = next;
    }
    assert_eq!((read, sizes), (all.clone(), vec![2, 2, 1]));
    let page = Page { parent: S::PARENT, token: "nonsense", ..Page::default() };
    assert_refused(standard.list(page).await, Code::InvalidArgument, "PAGE_TOKEN_INVALID", &["page_token"]);
    let page = Page { parent: S::PARENT, size: -1, ..Page::default() };
    assert_invalid(standard.list(page).await, &["page_size"]);

    if !S::PARENT.is_empty() {
        let elsewhere = standard.create("accounts/zenith", "a", Some(S::sample()), "").await.unwrap();
        let unknown = Page { parent: "accounts/unknown", ..Page::default() };
        assert_eq!(standard.list(unknown).await.unwrap().0, []);
        all.push(elsewhere);
        assert_eq!(standard.list(Page { parent: "accounts/-", ..Page::default() }).await.unwrap().0, all);
        assert_invalid(standard.list(Page { parent: "acme", ..Page::default() }).await, &["parent"]);
    }
}
