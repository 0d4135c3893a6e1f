//! What holds for the aggregator as a whole, whatever the feeds tell and however: on SQLite, and on PostgreSQL when
//! `TEST_DATABASE_URL` names a server.

mod documents;
mod ease;
mod fits;
mod history;
mod properties;
mod reading;
mod replicas;
mod rules;
mod simulations;
mod upgrade;
mod voice;
mod watching;

use std::{collections::BTreeMap, sync::Arc};

use contracts::assessments::v1 as wire;
use dynamics::Model;
use methods::Methods;
use runtime::{Clock, Shutdown};
use sqlx::{Executor as _, Row as _};
use store::{Database, Leases, Mark, testing::Scratch};

use crate::{
    MIGRATIONS, TABLES,
    apply::{Applier, Heard, fold},
    cache::Ledgers,
    columns::Standings,
    fits::{Changes, Fits},
    instruments::Instruments,
    models::{Choice, Models, Recorded},
    others::Others,
    picture::{Gallery, Moment},
    progress::Progress,
    stated_views::{self, StatedViews},
    store::{Reader, SourceRow},
    told::{Told, segment},
};

/// A database with what it takes to apply and to answer.
struct Place {
    scratch: Scratch,
    database: Database,
    clock: Clock,
    progress: Progress,
    methods: Methods,
    models: Models,
    views: StatedViews,
    ledgers: Ledgers,
    standings: Standings,
    leases: Leases,
}

/// All that is kept, in a form that can be compared.
#[derive(Debug, PartialEq)]
struct Kept {
    sources: Vec<SourceRow>,
    merges: Vec<[String; 3]>,
    /// By tenant and account, with currency and segment.
    ledgers: BTreeMap<(String, String), (String, String, Vec<u8>)>,
    /// By tenant and account: model, stage and figures.
    standings: BTreeMap<(String, String), (String, String, Vec<f64>)>,
}

impl Place {
    async fn sqlite() -> Self {
        Self::open(Scratch::sqlite().unwrap()).await
    }

    /// None if no server is named.
    async fn postgres() -> Option<Self> {
        Some(Self::open(Scratch::postgres().await.unwrap()?).await)
    }

    async fn open(scratch: Scratch) -> Self {
        let database = Database::open(&scratch.url, &MIGRATIONS).await.unwrap();
        let (clock, progress) = (Clock::fixed(0), Progress::new(&[]));
        let methods = Methods::new("assessments", database.clone(), &TABLES, clock.clone(), Shutdown::new());
        let (ledgers, standings) = (Ledgers::new(1 << 20), Standings::new(1 << 20));
        let (models, views) = (models(), StatedViews::default());
        let leases = Leases::new(database.clone(), methods::new_id());
        leases.beat().await.unwrap();
        Self { scratch, database, clock, progress, methods, models, views, ledgers, standings, leases }
    }

    async fn close(self) {
        self.database.close().await;
        self.scratch.drop_schema().await.unwrap();
    }

    /// Empties it.
    async fn clear(&mut self) {
        for table in [
            "followed",
            "sources",
            "merges",
            "ledgers",
            "standings",
            "movements",
            "settings",
            "stated_views",
            "erased_accounts",
            "topics",
            "touched",
        ] {
            let text = sqlx::AssertSqlSafe(format!("delete from {table}"));
            self.database.writer.execute(text).await.unwrap();
        }
        self.restart().await;
    }

    /// Goes on as a new process would.
    async fn restart(&mut self) {
        self.progress = Progress::new(&self.reader().followed().await.unwrap());
        self.views = StatedViews::load(&self.reader()).await.unwrap();
        self.ledgers = Ledgers::new(1 << 20);
        self.standings = Standings::new(1 << 20);
        self.applier().rebuild_if_outdated(&self.leases.held()).await.unwrap();
    }

    fn reader(&self) -> Reader {
        Reader { database: self.database.clone() }
    }

    fn applier(&self) -> Applier {
        Applier {
            database: self.database.clone(),
            methods: self.methods.clone(),
            models: self.models.clone(),
            views: self.views.clone(),
            clock: self.clock.clone(),
            progress: self.progress.clone(),
            ledgers: self.ledgers.clone(),
            standings: self.standings.clone(),
            leases: self.leases.clone(),
            others: self.others(),
            ready: Arc::default(),
            changes: Changes::default(),
        }
    }

    fn others(&self) -> Others {
        let (progress, ledgers) = (self.progress.clone(), self.ledgers.clone());
        let (standings, views) = (self.standings.clone(), self.views.clone());
        Others::new(self.reader(), self.leases.clone(), progress, ledgers, standings, views)
    }

    fn instruments(&self) -> Instruments {
        Instruments::new(&opentelemetry::global::meter("tests"), self.clock.clone(), &self.ledgers, &self.leases)
    }

    fn gallery(&self) -> Gallery {
        Gallery {
            reader: self.reader(),
            ledgers: self.ledgers.clone(),
            standings: self.standings.clone(),
            progress: self.progress.clone(),
            models: self.models.clone(),
            fits: Fits::new(self.models.clone()),
            views: self.views.clone(),
            clock: self.clock.clone(),
        }
    }

    async fn apply(&self, told: &[Told]) {
        let heard = Heard { told: told.to_vec(), topics: vec![], through: vec![] };
        self.applier().apply(&[heard]).await.unwrap();
    }

    /// The assessment of an account, if there is one.
    async fn assess(&self, tenant: &str, account: &str, moment: Moment) -> Option<wire::Assessment> {
        assess(&self.gallery(), tenant, account, moment).await
    }

    async fn kept(&self) -> Kept {
        let columns = SourceRow::COLUMNS;
        let sources = format!("select {columns} from sources order by tenant, account, source, version");
        let sources = self.rows(&sources).await.iter().map(|row| SourceRow::read(row).unwrap()).collect();
        let merges = self.rows("select tenant, account, into_account from merges order by tenant, account").await;
        let merges = merges.iter().map(|row| [row.get(0), row.get(1), row.get(2)]).collect();
        let ledgers = self.reader().ledger_page(None, ("", ""), i64::MAX).await.unwrap();
        let ledgers =
            ledgers.into_iter().map(|row| ((row.tenant, row.account), (row.currency, row.segment, row.document)));
        let standings = self.rows("select tenant, account, model, stage, figures from standings").await;
        let standings = standings.iter().map(|row| {
            let figures = crate::standing::decode(row.get(4)).unwrap();
            ((row.get(0), row.get(1)), (row.get(2), row.get(3), figures))
        });
        Kept { sources, merges, ledgers: ledgers.collect(), standings: standings.collect() }
    }

    async fn rows(&self, text: &str) -> Vec<sqlx::any::AnyRow> {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        sqlx::query(text).fetch_all(&self.database.reader).await.unwrap()
    }

    /// Checks that what is kept hangs together: each account of which something stands has a ledger, which is the fold of
    /// its sources, and a standing.
    async fn check(&self, kept: &Kept) {
        let answering = |tenant: &str, account: &str| {
            let merge = kept.merges.iter().find(|[of, duplicate, _]| of == tenant && duplicate == account);
            merge.map_or(account, |[_, _, into]| into).to_owned()
        };
        let standing = kept.sources.iter().filter(|row| row.superseded_at.is_none() && row.deleted_at.is_none());
        let mut accounts: Vec<(String, String)> =
            standing.map(|row| (row.tenant.clone(), answering(&row.tenant, &row.account))).collect();
        accounts.sort();
        accounts.dedup();
        assert_eq!(kept.ledgers.keys().cloned().collect::<Vec<_>>(), accounts, "each account has its ledger");
        assert_eq!(kept.standings.keys().cloned().collect::<Vec<_>>(), accounts, "each account has its standing");
        for ((tenant, account), (_, kept_segment, document)) in &kept.ledgers {
            let rows = self.reader().sources(tenant, account, true).await.unwrap();
            assert_eq!(*kept_segment, segment(&rows, account).unwrap(), "{tenant} {account}");
            let model = self.models.of(tenant, kept_segment);
            assert_eq!(*document, fold(model.half_lives(), &rows).unwrap().encode(), "{tenant} {account}");
            assert_eq!(kept.standings[&(tenant.clone(), account.clone())].0, model.id(), "{tenant} {account}");
        }
    }
}

/// What the tenants chose: the first one a model for all and others for its segments, the second one a model for a segment.
fn models() -> Models {
    let models = Models::default();
    for (tenant, id, days) in [
        ("one", "calm", ["slow_days = 180", "fast_days = 45"]),
        ("one", "quick", ["slow_days = 60", "fast_days = 10"]),
        ("one", "long", ["slow_days = 720", "fast_days = 90"]),
        ("two", "quick", ["slow_days = 90", "fast_days = 20"]),
    ] {
        models.hold(tenant, recorded(id, days));
    }
    choose(&models, 1, [("one", "", Some("calm")), ("one", "gold", Some("quick")), ("one", "home", Some("long"))]);
    choose(&models, 1, [("two", "home", Some("quick"))]);
    models
}

fn choose<const N: usize>(models: &Models, version: i64, choices: [(&str, &str, Option<&str>); N]) {
    for (tenant, segment, model) in choices {
        models.choose(tenant, segment, Choice { version, model: model.map(str::to_owned) });
    }
}

/// The built-in model under another id, with other half-lives and weights.
fn recorded(id: &str, [slow, fast]: [&str; 2]) -> Recorded {
    let document = Model::DEFAULT_TEXT
        .replace("id = \"default-2\"", &format!("id = \"{id}\""))
        .replace("slow_days = 180", slow)
        .replace("fast_days = 45", fast)
        .replace("prior_strength = 6.0", "prior_strength = 3.0");
    let model = Arc::new(Model::parse(&document).unwrap());
    assert!(model.id() == id && model.half_lives().slow_days().to_string() == slow[12..]);
    Recorded { model, document: document.into(), created_at: Some(0) }
}

/// The assessment of an account in a gallery, if there is one.
async fn assess(gallery: &Gallery, tenant: &str, account: &str, moment: Moment) -> Option<wire::Assessment> {
    let pictures = gallery.find_all(tenant, &[account], moment).await.unwrap();
    let picture = pictures.into_iter().next().flatten()?;
    Some(wire::Assessment { freshness: vec![], ..gallery.assess(picture) })
}

/// A mark of the orders feed.
fn mark(partition: u32, position: i64) -> Mark {
    Mark { feed: "orders".to_owned(), partition, position }
}

const NOW: Moment = Moment { as_of: None, known_at: None };
