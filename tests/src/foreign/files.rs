//! Files that are imported: nothing is lost, everything that is wrong is located.

use std::sync::LazyLock;

use contracts::DESCRIPTOR_SET;
use prost_reflect::{DescriptorPool, DynamicMessage};
use rapport::import::{
    Format, Kind, Mapping,
    fuzzing::{self, Reading},
};

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| DescriptorPool::decode(DESCRIPTOR_SET).unwrap());

const KINDS: [Kind; 4] = [Kind::Accounts, Kind::Orders, Kind::Interactions, Kind::Feedback];

/// What stands between a mapping and the file that it is for.
const SEPARATOR: &str = "\n---\n";

fn kind(choice: u8) -> Kind {
    KINDS[usize::from(choice) % KINDS.len()]
}

/// A CSV file under the headers of a kind, which the first byte chooses: every line is a row, refused or left out.
pub fn csv(data: &[u8]) {
    let (choice, file) = super::first(data);
    let reading = read(kind(choice), Format::Csv, None, file);
    assert_every_line_is_told(&reading);
}

/// JSON Lines of a kind, which the first byte chooses: every line is a row, refused or left out.
pub fn jsonl(data: &[u8]) {
    let (choice, file) = super::first(data);
    let reading = read(kind(choice), Format::Jsonl, None, file);
    assert_every_line_is_told(&reading);
    let ends = file.iter().filter(|byte| **byte == b'\n').count() as u64;
    assert_eq!(reading.lines, ends + u64::from(!file.is_empty() && !file.ends_with(b"\n")));
}

/// A mapping and a file that is read with it. The first byte chooses the kind.
pub fn mapping(data: &[u8]) {
    let (choice, rest) = super::first(data);
    let text = String::from_utf8_lossy(rest);
    let (mapping, file) = text.split_once(SEPARATOR).unwrap_or((&text, ""));
    match Mapping::parse(kind(choice), mapping) {
        Ok(mapping) => {
            let reading = read(kind(choice), Format::Csv, Some(mapping), file.as_bytes());
            let told = (reading.rows.len() + reading.refused.len()) as u64;
            // Lines that make one row are told once.
            assert!(told + reading.skipped <= reading.lines, "{reading:?}");
            assert!(reading.lines == reading.skipped || told > 0 || !reading.unusable.is_empty(), "{reading:?}");
        }
        Err(problems) => assert!(!problems.is_empty() && problems.iter().all(|problem| !problem.trim().is_empty())),
    }
}

/// Reads a file in batches of one, which must make no difference, and looks at all that is said of it.
fn read(kind: Kind, format: Format, mapping: Option<Mapping>, file: &[u8]) -> Reading {
    let reading = fuzzing::read(kind, format, mapping.clone(), 500, file);
    let slowly = fuzzing::read(kind, format, mapping, 1, file);
    assert!(reading.largest_batch <= 500 && slowly.largest_batch <= 1);
    assert_eq!(Reading { largest_batch: reading.largest_batch, ..slowly }, reading);

    if !reading.unusable.is_empty() {
        assert_eq!(Reading { unusable: Vec::new(), ..reading.clone() }, Reading::default(), "nothing was read");
        assert!(reading.unusable.iter().all(|problem| !problem.trim().is_empty()));
    }
    let last = file.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    let first = if format == Format::Csv { 2 } else { 1 };
    let refused = reading.refused.iter().map(|(line, _, _)| *line);
    let mut lines: Vec<u64> = reading.rows.iter().map(|(line, _, _)| *line).chain(refused).collect();
    lines.sort_unstable();
    assert!(lines.windows(2).all(|pair| pair[0] < pair[1]), "a line is told twice: {lines:?}");
    assert!(lines.iter().all(|line| (first..=last).contains(line)), "{lines:?} of {first} to {last}");
    for (line, _, problem) in &reading.refused {
        assert!(!problem.trim().is_empty(), "line {line} is refused without a word");
    }
    let row_type = POOL.get_message_by_name(&fuzzing::row_type(kind)).unwrap();
    for (line, name, bytes) in &reading.rows {
        let row = DynamicMessage::decode(row_type.clone(), bytes.as_slice()).unwrap();
        let (_, resource) = row.fields().next().unwrap_or_else(|| panic!("line {line} makes an empty row"));
        let resource = resource.as_message().unwrap();
        assert_eq!(resource.get_field_by_name("name").unwrap().as_str(), Some(name.as_str()), "line {line}");
    }
    reading
}

fn assert_every_line_is_told(reading: &Reading) {
    assert_eq!((reading.rows.len() + reading.refused.len()) as u64 + reading.skipped, reading.lines, "{reading:?}");
}

/// A number or a time, as a cell has it. The first byte chooses; a time format ends at the first line break.
pub fn value(data: &[u8]) {
    let (choice, rest) = super::first(data);
    let text = String::from_utf8_lossy(rest);
    match choice % 3 {
        0 => decimal(&text),
        1 => {
            if let Ok(nanos) = fuzzing::time(&text) {
                assert_is_a_time_of_the_contract(nanos);
                assert_eq!(fuzzing::time(&format!(" {text}\t")), Ok(nanos));
            }
        }
        _ => {
            let (format, text) = text.split_once('\n').unwrap_or((&text, ""));
            match fuzzing::time_written(format, text) {
                Ok(nanos) => assert_is_a_time_of_the_contract(nanos),
                Err(problem) => assert!(problem.contains(format), "{problem}"),
            }
        }
    }
}

fn decimal(text: &str) {
    let Ok((written, money)) = fuzzing::decimal(text) else { return };
    assert_eq!(fuzzing::decimal(&written), Ok((written.clone(), money.clone())));
    let Ok((units, nanos)) = money else { return };
    assert!(units.abs() <= 1_000_000_000_000 && nanos.abs() < 1_000_000_000, "{units} {nanos}");
    assert!(units.signum() * i64::from(nanos.signum()) >= 0, "{units} {nanos}");
    let sign = if units < 0 || nanos < 0 { "-" } else { "" };
    let exact = format!("{sign}{}.{:09}", units.abs(), nanos.abs());
    assert_eq!(fuzzing::decimal(&exact).unwrap().1, Ok((units, nanos)), "{text}");
}

fn assert_is_a_time_of_the_contract(nanos: i128) {
    let seconds = nanos.div_euclid(1_000_000_000);
    // From the year -9999, which the server refuses, to 9999, a day of offset either way.
    assert!((-377_705_203_200..=253_402_387_200).contains(&seconds), "{seconds}");
}
