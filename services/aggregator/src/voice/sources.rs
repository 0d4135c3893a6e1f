//! ListThemeSources: where a theme, or a phrase, was heard.

use std::ops::Range;

use contracts::voice::v1::*;
use dynamics::themes::Taxonomy;
use methods::{Call, Violations, from_micros, list_fingerprint, not_found, store_fault, to_micros};
use runtime::Fault;
use tonic::{Request, Response, Status};

use super::{
    Page, Period, THEMES, Voice,
    hearing::{Hearing, Saying},
    phrases::{alike, excerpt, taxonomy},
    read_days, read_name,
};

/// The longest phrase, in characters.
const LONGEST: usize = 128;

impl Voice {
    pub(super) async fn listed_sources(
        &self,
        request: Request<ListThemeSourcesRequest>,
    ) -> Result<Response<ListThemeSourcesResponse>, Status> {
        let (call, ask) = Call::enter(request)?;
        let mut violations = Violations::default();
        let days = read_days(ask.days, &ask.language, &mut violations);
        violations.time("as_of", ask.as_of.as_ref());
        violations.integer("page_size", ask.page_size.into(), 0, i32::MAX.into());
        match (ask.theme.is_empty(), ask.phrase.is_empty()) {
            (true, true) => violations.add("theme", "or `phrase` is required"),
            (false, false) => violations.add("phrase", "must be empty where there is a `theme`"),
            (false, true) => read_name("theme", &ask.theme, THEMES, &mut violations),
            (true, false) => violations.text("phrase", &ask.phrase, 1, LONGEST),
        }
        violations.finish()?;
        let tenant = call.tenant.as_str().to_owned();
        let as_of = ask.as_of.as_ref().map(to_micros);
        let list = list_fingerprint(&(&tenant, "sources", (&ask.theme, &ask.phrase), &ask.language, (days, as_of)));
        let now = as_of.unwrap_or_else(|| self.gallery.clock.now());
        let page = Page::read(&ask.page_token, list, now.saturating_add(1))?;
        self.gallery.wait(&ask.at_least_as_fresh).await?;

        let reader = self.gallery.reader.clone();
        let sought = match ask.theme.as_str() {
            "" => alike([ask.phrase.as_str()].into_iter()),
            name => {
                let theme = reader.theme(&tenant, name).await.map_err(store_fault)?;
                taxonomy(&[theme.ok_or_else(|| not_found("theme", name))?])
            }
        };
        let period = Period { days, end: page.end };
        let found = self.at_work(async move {
            let mut hearing = Hearing::of(&reader, &tenant, period.start(), period.end).await.map_err(store_fault)?;
            hearing.only(&ask.language);
            let sources = hearing.sayings.iter().filter_map(|saying| heard(saying, &ask.theme, &sought));
            Ok::<_, Fault>((sources.collect::<Vec<_>>(), hearing.told()))
        });
        let (sources, heard) = found.await?;
        let total_count = sources.len() as i64;
        let (sources, next_page_token) = page.cut(sources, ask.page_size, list);
        Ok(Response::new(ListThemeSourcesResponse { sources, next_page_token, total_count, heard: Some(heard) }))
    }
}

/// What was said, if it belongs to a theme: because somebody stated so, or because one of the phrases is found.
fn heard(saying: &Saying, theme: &str, phrases: &Taxonomy) -> Option<ThemeSource> {
    let is_stated = !theme.is_empty() && saying.themes.iter().any(|stated| stated == theme);
    let place = phrases.find(&saying.words, &saying.language).into_iter().next().map(|found| found.range);
    (is_stated || place.is_some()).then(|| told(saying, place, is_stated))
}

/// A source as it is told, with the words around a place.
pub(super) fn told(saying: &Saying, place: Option<Range<usize>>, is_stated: bool) -> ThemeSource {
    ThemeSource {
        source: saying.source.clone(),
        contact: saying.contact.clone(),
        happen_time: Some(from_micros(saying.at)),
        language: saying.language.clone(),
        sentiment: saying.sentiment,
        excerpt: excerpt(&saying.words, place),
        is_stated,
    }
}
