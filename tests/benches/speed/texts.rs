//! Importing interactions that have text, which is read on its way in, against the same rows left unread and against the same
//! rows without text: by the interactions service alone, and by the whole suite,
//! whose aggregator follows on the same cores.

use contracts::{
    common::v1::{AnalysisSettings, Party},
    interactions::v1::{
        ImportInteractionsRequest, Interaction, InteractionChannel, InteractionsRow, Purpose,
        UpdateAnalysisSettingsRequest, interactions_row,
    },
};
use tests::{Suite, ask, ask_for, day};
use tokio::runtime::Runtime;
use tokio_stream::StreamExt as _;

use crate::{accounts, cpu_seconds, import::account, report, rounds};

const INTERACTIONS: usize = 50_000;
const BATCH: usize = 1_000;

/// What customers and those who answer them write, in the four languages that are read.
const SENTENCES: [&str; 16] = [
    "I ordered six chairs three weeks ago and only four of them have arrived so far.",
    "Thank you for the quick reply, the replacement fits perfectly.",
    "Nobody answers the phone, and the tracking page has shown the same message since Monday.",
    "We need an invoice with our purchase number on it before the end of the month.",
    "A rendelés hibátlanul megérkezett, köszönöm a gyors kiszolgálást.",
    "Harmadszor írok ugyanabban az ügyben, és még mindig nem kaptam választ.",
    "Szeretném tudni, mikor lesz újra raktáron a nagyobb asztal.",
    "De levering was een dag te laat, maar de chauffeur was erg vriendelijk.",
    "Helaas is het product beschadigd aangekomen en ik wil graag mijn geld terug.",
    "Kunt u mij vertellen of deze kast ook in het wit leverbaar is?",
    "Bedankt voor de goede hulp aan de telefoon vanochtend.",
    "O produto chegou antes do prazo e a qualidade é excelente.",
    "Estou muito insatisfeito com o atendimento, ninguém resolve o meu problema.",
    "Gostaria de receber uma proposta para vinte unidades deste modelo.",
    "It would be great if the app could remember the last delivery address.",
    "Agradeço a atenção, amanhã envio os documentos que faltam.",
];

pub(crate) fn run(runtime: &Runtime) {
    runtime.block_on(async {
        let (mut unread, mut bare, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
        let (mut unread_by_all, mut bare_by_all) = (Vec::new(), Vec::new());
        for _ in 0..rounds() {
            let (read, _) = measured(Suite::start().await, true, true).await;
            let (left, _) = measured(Suite::start().await, true, false).await;
            let (without, _) = measured(Suite::start().await, false, false).await;
            unread_by_all.push((read, left));
            bare_by_all.push((read, without));
            let (read, read_cpu) = measured(Suite::start_interactions().await, true, true).await;
            let (left, left_cpu) = measured(Suite::start_interactions().await, true, false).await;
            let (without, _) = measured(Suite::start_interactions().await, false, false).await;
            unread.push((read, left));
            bare.push((read, without));
            cpu.push((read_cpu, left_cpu));
        }
        report("import of interactions, read against left unread", "rows/s", &unread_by_all, ">= 0.7");
        report("  against the same without text", "rows/s", &bare_by_all, ">= 0.7");
        report("  by the service alone, against left unread", "rows/s", &unread, "-");
        report("  by the service alone, against those without text", "rows/s", &bare, "-");
        report("  CPU, the client's included, against left unread", "us/row", &cpu, "-");
    });
}

/// Rows a second, and microseconds of CPU for each.
async fn measured(suite: Suite, with_text: bool, read: bool) -> (f64, f64) {
    let settings = Some(AnalysisSettings { disabled: !read, ..AnalysisSettings::default() });
    let request = UpdateAnalysisSettingsRequest { settings, ..Default::default() };
    suite.interactions().update_analysis_settings(ask(request)).await.unwrap();
    let cpu_before = cpu_seconds();
    let start = std::time::Instant::now();
    send(&suite, with_text).await;
    let rate = INTERACTIONS as f64 / start.elapsed().as_secs_f64();
    (rate, (cpu_seconds() - cpu_before) * 1e6 / INTERACTIONS as f64)
}

async fn send(suite: &Suite, with_text: bool) {
    let batches = (0..INTERACTIONS / BATCH).map(move |batch| {
        let numbers = batch * BATCH..(batch + 1) * BATCH;
        let rows = numbers.map(|number| InteractionsRow {
            resource: Some(interactions_row::Resource::Interaction(interaction(number, with_text))),
        });
        ImportInteractionsRequest { rows: rows.collect(), ..Default::default() }
    });
    let request = ask_for(3_600, tokio_stream::iter(batches));
    let mut answers = suite.interactions().import_interactions(request).await.unwrap().into_inner();
    while let Some(answer) = answers.next().await {
        let answer = answer.unwrap();
        assert!(answer.refusals.is_empty(), "{:?}", answer.refusals.first());
    }
}

fn interaction(number: usize, with_text: bool) -> Interaction {
    let sentence = |step: usize| SENTENCES[(number / step + number) % SENTENCES.len()];
    Interaction {
        name: format!("accounts/{}/interactions/i{number:09}", account(number % accounts())),
        happen_time: day(-365.0 + 364.0 * number as f64 / INTERACTIONS as f64),
        party: Party::Customer.into(),
        channel: InteractionChannel::Email.into(),
        purpose: Purpose::Sales.into(),
        text: if with_text { format!("{} {}", sentence(7), number) } else { String::new() },
        ..Interaction::default()
    }
}
