//! Letters of other scripts than the Latin one.

use super::{Identified, UNDETERMINED};

/// Of a text in two scripts, each has at least this part of the letters.
const MIXED_SHARE: f32 = 0.25;

/// A script, or letters of one that only some of its languages have.
struct Script {
    from: char,
    to: char,
    code: &'static str,
    /// How many Latin letters one of its letters says as much as.
    weight: u32,
}

const fn script(from: char, to: char, code: &'static str, weight: u32) -> Script {
    Script { from, to, code, weight }
}

/// Blocks of Unicode (Blocks.txt), in their order. A script of many languages has no code of its own.
const SCRIPTS: &[Script] = &[
    script('\u{370}', '\u{3ff}', "el", 1),
    script('\u{400}', '\u{52f}', UNDETERMINED, 1),
    script('\u{530}', '\u{58f}', "hy", 1),
    script('\u{590}', '\u{5ff}', "he", 1),
    script('\u{600}', '\u{77f}', UNDETERMINED, 1),
    script('\u{900}', '\u{97f}', UNDETERMINED, 1),
    script('\u{980}', '\u{9ff}', "bn", 1),
    script('\u{a00}', '\u{a7f}', "pa", 1),
    script('\u{a80}', '\u{aff}', "gu", 1),
    script('\u{b80}', '\u{bff}', "ta", 1),
    script('\u{c00}', '\u{c7f}', "te", 1),
    script('\u{c80}', '\u{cff}', "kn", 1),
    script('\u{d00}', '\u{d7f}', "ml", 1),
    script('\u{d80}', '\u{dff}', "si", 1),
    script('\u{e00}', '\u{e7f}', "th", 1),
    script('\u{e80}', '\u{eff}', "lo", 1),
    script('\u{1000}', '\u{109f}', "my", 1),
    script('\u{10a0}', '\u{10ff}', "ka", 1),
    script('\u{1100}', '\u{11ff}', "ko", 2),
    script('\u{1200}', '\u{137f}', "am", 2),
    script('\u{1780}', '\u{17ff}', "km", 1),
    script('\u{1f00}', '\u{1fff}', "el", 1),
    script('\u{3040}', '\u{30ff}', "ja", 2),
    script('\u{3400}', '\u{9fff}', "zh", 3),
    script('\u{ac00}', '\u{d7a3}', "ko", 2),
];

/// Letters of Cyrillic and Arabic that tell a language.
const TELLING: &[(&str, &str)] =
    &[("ыэё", "ru"), ("іїєґ", "uk"), ("ђћџљњј", "sr"), ("پچژگ", "fa"), ("ٹڈںے", "ur"), ("ةىأإ", "ar")];

/// Whether it is a letter of the Latin script.
const fn is_latin(letter: char) -> bool {
    (letter as u32) < 0x370 || matches!(letter, '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}')
}

/// The letters of a text by script.
#[derive(Default)]
pub(super) struct Scripts {
    latin: u32,
    other: u32,
    by_script: [u32; SCRIPTS.len()],
    telling: [u32; TELLING.len()],
    /// How many words are in other scripts.
    pub(super) words: usize,
}

impl Scripts {
    /// Counts the letters of a word; answers whether it is in the Latin script.
    pub(super) fn count(&mut self, letters: &[char]) -> bool {
        if letters.iter().all(|letter| is_latin(*letter)) {
            self.latin += letters.len() as u32;
            return true;
        }
        self.words += 1;
        for letter in letters.iter().filter(|letter| !is_latin(**letter)) {
            let after = SCRIPTS.partition_point(|script| script.from <= *letter);
            match SCRIPTS[..after].last().filter(|script| *letter <= script.to) {
                Some(script) => {
                    self.by_script[after - 1] += script.weight;
                    self.other += script.weight;
                }
                None => self.other += 1,
            }
            for (count, (telling, _)) in self.telling.iter_mut().zip(TELLING) {
                *count += u32::from(telling.contains(*letter));
            }
        }
        false
    }

    fn share(&self) -> f32 {
        self.other as f32 / (self.latin + self.other).max(1) as f32
    }

    /// Whether it is in the Latin script and another.
    pub(super) fn is_mixed(&self) -> bool {
        (MIXED_SHARE..=1.0 - MIXED_SHARE).contains(&self.share())
    }

    /// The language, if most of the text is in another script; its probability is the script's part of all letters.
    pub(super) fn language(&self) -> Option<Identified> {
        if self.other <= self.latin {
            return None;
        }
        let code = |script: usize| SCRIPTS[script].code;
        let most = (1..SCRIPTS.len()).fold(0, |best, script| match () {
            () if self.by_script[script] > self.by_script[best] => script,
            () => best,
        });
        // Japanese is written in Chinese letters too, Chinese never in kana.
        let has_kana = (0..SCRIPTS.len()).any(|script| code(script) == "ja" && self.by_script[script] > 0);
        let mut code = if code(most) == "zh" && has_kana { "ja" } else { code(most) };
        let mut part = SCRIPTS.iter().zip(self.by_script).filter(|(script, _)| script.code == code);
        let mut letters = part.by_ref().map(|(_, count)| count).sum::<u32>();
        if code == "ja" {
            letters = self.other;
        }
        let (at, told) = self.telling.iter().enumerate().fold((0, 0), |best, (at, count)| match () {
            () if *count > best.1 => (at, *count),
            () => best,
        });
        if code == UNDETERMINED && told > 0 {
            code = TELLING[at].1;
        }
        let probability = if code == UNDETERMINED { 0.0 } else { letters as f32 / (self.latin + self.other) as f32 };
        Some(Identified { code, probability, is_mixed: self.is_mixed(), ..Identified::NOTHING })
    }
}
