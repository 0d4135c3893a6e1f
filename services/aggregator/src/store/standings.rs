//! Every SQL statement that reads standings.

use sqlx::Row as _;
use store::{Error, bind_row_sets};

use super::Reader;
use crate::{
    filter::stage_rank,
    standing,
    tables::{AccountKey, StandingRow},
};

/// A place in a list of standings: after this figure and account.
#[derive(Debug, Clone)]
pub(crate) struct StandingPlace {
    pub(crate) figure: f64,
    pub(crate) account: String,
}

/// An account's standing, as far as a list needs it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) place: StandingPlace,
    /// When it was made.
    pub(crate) assessed_at: i64,
    /// What it was made with: see [`dynamics::Model::made_with`].
    pub(crate) model: String,
}

/// An account's standing, with those of its figures that were asked for.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) account: String,
    pub(crate) assessed_at: i64,
    /// What it was made with: see [`dynamics::Model::made_with`].
    pub(crate) model: String,
    pub(crate) figures: Vec<f64>,
}

/// When and with which model an account's standing was made, and the segment that says which one it should be.
#[derive(Debug, Clone)]
pub(crate) struct MadeWith {
    pub(crate) tenant: String,
    pub(crate) account: String,
    pub(crate) segment: String,
    pub(crate) model: String,
    pub(crate) assessed_at: i64,
}

/// What a portfolio looks like, counted.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    pub(crate) stages: Vec<(String, i64)>,
    pub(crate) bonds: Vec<i64>,
    pub(crate) gaps: Vec<i64>,
}

impl Reader {
    /// A page of all accounts that have a standing, by account.
    #[tracing::instrument(name = "aggregator.standings", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "standings", otel.kind = "client"))]
    pub(crate) async fn standings(
        &self,
        tenant: &str,
        after: Option<&StandingPlace>,
        limit: i64,
    ) -> Result<Vec<Standing>, Error> {
        let rows = sqlx::query(STANDINGS)
            .bind(tenant)
            .bind(after.map_or("", |after| &after.account))
            .bind(limit)
            .fetch_all(&self.database.reader)
            .await?;
        let mut places = Vec::with_capacity(rows.len());
        for row in rows {
            let place = StandingPlace { account: row.try_get(0)?, figure: 0.0 };
            places.push(Standing { place, assessed_at: row.try_get(1)?, model: row.try_get(2)? });
        }
        Ok(places)
    }

    /// Some figures of a tenant's standings, by account: those in these columns, of which the last is the stage's rank.
    /// Beside them the account at which the page ends, if it is not the last page. Standings that another version of this
    /// program made are left out: they are about to be made again.
    #[tracing::instrument(name = "aggregator.figures", skip_all, fields(db.system.name = self.database.backend.system_name(), db.operation.name = "select", db.collection.name = "standings", otel.kind = "client"))]
    pub(crate) async fn figures(
        &self,
        tenant: &str,
        columns: &[usize],
        after: &str,
        limit: i64,
    ) -> Result<(Vec<Figures>, Option<String>), Error> {
        let select = sqlx::query(
            "select account, assessed_at, model, stage, figures from standings
             where tenant = $1 and account > $2 order by account limit $3",
        );
        let rows = select.bind(tenant).bind(after).bind(limit).fetch_all(&self.database.reader).await?;
        let mut standings = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(all) = row.try_get::<Option<&[u8]>, _>(4)?.and_then(standing::decode) else { continue };
            let rank = stage_rank(row.try_get(3)?).unwrap_or(0.0);
            let figures = columns.iter().map(|column| all.get(*column).copied().unwrap_or(rank)).collect();
            let [account, model] = [row.try_get(0)?, row.try_get(2)?];
            standings.push(Figures { account, assessed_at: row.try_get(1)?, model, figures });
        }
        let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == limit);
        let last = rows.last().filter(|_| is_full).map(|row| row.try_get(0)).transpose()?;
        Ok((standings, last))
    }

    /// A page of all standings with when and with which models they were made, by tenant and account.
    pub(crate) async fn made_with(&self, after: (&str, &str), limit: i64) -> Result<Vec<MadeWith>, Error> {
        let rows = sqlx::query(
            "select s.tenant, s.account, l.segment, s.model, s.assessed_at from standings s
             join ledgers l on l.tenant = s.tenant and l.account = s.account
             where (s.tenant, s.account) > ($1, $2) order by s.tenant, s.account limit $3",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(limit)
        .fetch_all(&self.database.reader)
        .await?;
        let mut page = Vec::with_capacity(rows.len());
        for row in rows {
            let [tenant, account, segment, model] =
                [row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?];
            page.push(MadeWith { tenant, account, segment, model, assessed_at: row.try_get(4)? });
        }
        Ok(page)
    }

    /// The standings of those accounts that have one, without what is kept to tell their next movement.
    pub(crate) async fn standing_rows(&self, accounts: &[&AccountKey]) -> Result<Vec<StandingRow>, Error> {
        let mut standings = Vec::with_capacity(accounts.len());
        let before =
            "select tenant, account, assessed_at, model, stage, figures from standings where (tenant, account)";
        for set in bind_row_sets(accounts) {
            for row in self.of_accounts(before, set).await? {
                // Those of another version of this program are about to be made again.
                let Some(figures) = row.try_get::<Option<&[u8]>, _>(5)?.and_then(standing::decode) else { continue };
                let [tenant, account] = [row.try_get(0)?, row.try_get(1)?];
                let [model, stage] = [row.try_get(3)?, row.try_get(4)?];
                let last_movement = Vec::new();
                let assessed_at = row.try_get(2)?;
                standings.push(StandingRow { tenant, account, assessed_at, model, stage, figures, last_movement });
            }
        }
        Ok(standings)
    }
}

/// The statement of a page of all standings.
pub(crate) const STANDINGS: &str =
    "select account, assessed_at, model from standings where tenant = $1 and account > $2 order by account limit $3";
