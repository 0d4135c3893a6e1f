//! `rapport timeline`: everything that passed between the two parties, latest first.

use std::io::{self, Write};

use contracts::assessments::v1::{ListTimelineRequest, TimelineEntry};

use super::{Format, account_name, facets, told};
use crate::{
    client::{ConnectArgs, Connection},
    contract,
    exit::{Error, Exit},
    output,
};

const PAGE: usize = 200;

/// What `timeline` takes.
#[derive(Clone, Debug, clap::Args)]
pub struct TimelineArgs {
    /// The account, by id or full name.
    account: String,
    /// At most this many entries; 0 for all.
    #[arg(long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// How to print it; json is proto JSON, an entry a line.
    #[arg(long, default_value = "table")]
    format: Format,
}

pub(crate) async fn run(connect: &ConnectArgs, args: TimelineArgs) -> Result<Exit, Error> {
    let connection = Connection::open(connect)?;
    let most = if args.limit == 0 { usize::MAX } else { args.limit };
    let mut request = ListTimelineRequest {
        parent: account_name(&args.account),
        page_size: i32::try_from(most.min(PAGE)).unwrap_or_default(),
        ..Default::default()
    };
    if args.format == Format::Csv {
        output::line("happen_time,party,kind,source,headline")?;
    }
    let mut count = 0;
    loop {
        let mut page = connection.assessments().list_timeline(connection.request(request.clone())).await?.into_inner();
        page.entries.truncate(most - count);
        count += page.entries.len();
        let mut out = io::BufWriter::new(output::stdout());
        write(&mut out, &page.entries, args.format)?;
        out.flush()?;
        drop(out);
        if page.next_page_token.is_empty() || count >= most {
            return Ok(Exit::Ok);
        }
        request.page_token = page.next_page_token;
    }
}

fn write(out: &mut impl Write, entries: &[TimelineEntry], format: Format) -> Result<(), Error> {
    match format {
        Format::Table => entries.iter().try_for_each(|entry| table(out, entry))?,
        Format::Json => {
            for entry in entries {
                writeln!(out, "{}", contract::to_json("rapport.assessments.v1.TimelineEntry", entry)?)?;
            }
        }
        Format::Csv => {
            let mut writer = csv::Writer::from_writer(out);
            for entry in entries {
                let party = facets::party(entry.party());
                writer.write_record([&told(entry.happen_time), &party, &entry.kind, &entry.source, &entry.headline])?;
            }
            writer.flush()?;
        }
    }
    Ok(())
}

fn table(out: &mut impl Write, entry: &TimelineEntry) -> io::Result<()> {
    let party = facets::party(entry.party());
    writeln!(out, "{}  {party:<8}  {}", told(entry.happen_time), entry.headline)?;
    for moment in entry.moments.iter().skip(1) {
        let party = facets::party(moment.party());
        writeln!(out, "    {}  {party:<8}  {}", told(moment.happen_time), moment.text)?;
    }
    Ok(())
}
