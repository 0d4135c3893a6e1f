//! Reads the file of a language's rules. `rules/README.md` says how one is written.

use std::collections::HashMap;

use crate::{SpanKind, Stance};

use super::rules::{Element, Exception, Finding, Index, Rule, Rules, WordSet, searchable};
use super::words::{HEAD, Words, folded, hash};

/// What a line of a file gets wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The line, from 1.
    pub(super) line: usize,
    /// What is wrong with it.
    pub(super) what: String,
}

/// About how many times as frequent common words are as others.
const COMMON: usize = 1;
const COMMONEST: usize = 30;

/// Words of up to three and up to ten between two parts of a rule.
const SHORT_GAP: usize = 3;
const LONG_GAP: usize = 10;
/// More gaps would make a rule slow on a text that nearly matches it.
const MOST_GAPS: usize = 3;

/// Reads a file: the rules, and what is wrong in lines that were left out.
pub(super) fn parse(text: &str) -> (Rules, Vec<Mistake>) {
    let mut reader = Reader::default();
    let mut mistakes = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if !line.is_empty()
            && let Err(what) = reader.line(line)
        {
            mistakes.push(Mistake { line: number + 1, what });
        }
    }
    (reader.finish(), mistakes)
}

#[derive(Default)]
struct Reader {
    rules: Rules,
    /// Words of the sets that are named in braces.
    sets: HashMap<String, Vec<String>>,
    /// Words that are too frequent to search for, if it can be helped, and what that costs.
    common: HashMap<u64, usize>,
    section: Option<Finding>,
    whole_clause: bool,
    /// The exceptions of the rules that follow.
    exceptions: Vec<Exception>,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            self.section = Some(section(name).ok_or_else(|| format!("there is no section [{name}]"))?);
            self.whole_clause = false;
            self.exceptions.clear();
            return Ok(());
        }
        if let Some((name, words)) = line.split_once('=') {
            let words = self.expand(words.split_whitespace())?;
            self.sets.insert(name.trim().to_string(), words);
            return Ok(());
        }
        if line == "whole clause" {
            self.whole_clause = true;
            return Ok(());
        }
        if line.starts_with("unless ") {
            let exception = self.exception(line)?;
            self.exceptions.push(exception);
            return Ok(());
        }
        match line.split_once(':') {
            Some((name, words)) if !name.contains(" / ") => self.list(name.trim(), words),
            _ => self.rule(line),
        }
    }

    /// A list of words that is named before a colon.
    fn list(&mut self, name: &str, words: &str) -> Result<(), String> {
        let words = self.expand(words.split_whitespace())?;
        match name {
            "common" => self.common.extend(words.iter().map(|word| (hash(word, usize::MAX), COMMON))),
            "commonest" => self.common.extend(words.iter().map(|word| (hash(word, usize::MAX), COMMONEST))),
            "clauses" => self.rules.clauses.add(set(&words)?),
            "continues" => self.rules.continues.add(set(&words)?),
            "joins" => self.rules.joins.add(set(&words)?),
            "subjects" => self.rules.subjects.add(set(&words)?),
            "links" => self.rules.links.extend(words.iter().map(|word| folded(word).collect::<String>())),
            "endings" => self.rules.endings.extend(words.iter().map(|word| folded(word).collect::<String>())),
            _ => return Err(format!("there is no list '{name}'")),
        }
        Ok(())
    }

    /// Words, with those of the sets among them that are named in braces.
    fn expand<'a>(&self, words: impl Iterator<Item = &'a str>) -> Result<Vec<String>, String> {
        let mut all = Vec::new();
        for word in words {
            match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                Some(name) => all.extend_from_slice(self.sets.get(name).ok_or(format!("there is no set {word}"))?),
                None => all.push(word.to_string()),
            }
        }
        Ok(all)
    }

    fn exception(&self, text: &str) -> Result<Exception, String> {
        let text = text.trim();
        let unknown = || format!("there is no exception '{text}'");
        match text.strip_prefix("unless ").ok_or_else(unknown)?.split_once(':') {
            None if text == "unless question" => Ok(Exception::Question),
            None if text == "unless no question" => Ok(Exception::NoQuestion),
            None => Err(unknown()),
            Some((place, words)) => {
                let words = set(&self.expand(words.split_whitespace())?)?;
                match place.trim() {
                    "before" => Ok(Exception::Before(words)),
                    "after" => Ok(Exception::After(words)),
                    "clause" => Ok(Exception::Clause(words)),
                    "sentence" => Ok(Exception::Sentence(words)),
                    _ => Err(unknown()),
                }
            }
        }
    }

    fn rule(&mut self, line: &str) -> Result<(), String> {
        if let Some((one, rest)) = split(line) {
            self.rule(&one)?;
            return self.rule(&rest);
        }
        let finding = self.section.ok_or("a rule before any section")?;
        let mut parts = line.split(" / ");
        let mut elements = Vec::new();
        for item in parts.next().unwrap_or_default().split_whitespace() {
            self.element(item, &mut elements)?;
        }
        let gaps = elements.iter().filter(|element| matches!(element, Element::Gap(_))).count();
        let names = elements.iter().filter(|element| matches!(element, Element::Name(_))).count();
        if gaps > MOST_GAPS {
            return Err(format!("more than {MOST_GAPS} gaps"));
        }
        let by_stance = matches!(finding, Finding::Stance(_));
        if names != usize::from(by_stance) {
            return Err("rules of stance, and no others, have one @".to_string());
        }
        let anchor = if by_stance {
            elements.iter().position(|element| matches!(element, Element::Name(_)))
        } else {
            self.anchor(&elements)
        };
        let anchor = anchor.ok_or(format!("no word to search for; stems need {HEAD} letters"))?;
        let mut exceptions = self.exceptions.clone();
        for part in parts {
            exceptions.push(self.exception(part)?);
        }
        let rule = Rule { finding, elements, anchor, exceptions, whole_clause: self.whole_clause };
        if by_stance {
            self.rules.stances.push(rule)
        } else {
            self.rules.searched.push(rule)
        }
        Ok(())
    }

    /// The first element with the least frequent words, of those that a text can be searched by.
    fn anchor(&self, elements: &[Element]) -> Option<usize> {
        let common = |element: &Element| match element {
            Element::Word(words) if searchable(words) => {
                Some(words.words.iter().filter_map(|word| self.common.get(word)).sum::<usize>())
            }
            _ => None,
        };
        let counted = elements.iter().enumerate().filter_map(|(at, element)| Some((common(element)?, at)));
        counted.min().map(|(_, at)| at)
    }

    /// The elements that one item of a rule stands for; a hyphenated word is several.
    fn element(&self, item: &str, elements: &mut Vec<Element>) -> Result<(), String> {
        match item {
            ".." => elements.push(Element::Gap(SHORT_GAP)),
            "..." => elements.push(Element::Gap(LONG_GAP)),
            "," => elements.push(Element::Comma),
            "^" | "$" => elements.push(Element::Border),
            _ if item.starts_with('@') => {
                let endings = item[1..].split('|').filter(|ending| !ending.is_empty());
                elements.push(Element::Name(endings.map(|ending| folded(ending).collect()).collect()));
            }
            _ => {
                let words = item.trim_start_matches('!').trim_end_matches('?');
                if words.contains('-') && !words.contains('|') {
                    for part in words.split('-') {
                        elements.push(Element::Word(set(&[part.to_string()])?));
                    }
                    return Ok(());
                }
                let words = set(&self.expand(words.split('|'))?)?;
                elements.push(match item {
                    _ if item.starts_with('!') => Element::Not(words),
                    _ if item.ends_with('?') => Element::Optional(words),
                    _ => Element::Word(words),
                });
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Rules {
        let (mut exact, mut stems) = (Vec::new(), Vec::new());
        for (number, rule) in self.rules.searched.iter().enumerate() {
            if let Some(Element::Word(words)) = rule.elements.get(rule.anchor) {
                exact.extend(words.words.iter().map(|word| (*word, number)));
                stems.extend(words.stems.iter().map(|(head, _)| (*head, number)));
            }
        }
        self.rules.exact = Index::new(exact);
        self.rules.stems = Index::new(stems);
        self.rules
    }
}

fn section(name: &str) -> Option<Finding> {
    Some(match name {
        "ignore" => Finding::Ignored,
        "need" => Finding::Place(SpanKind::Need),
        "suggestion" => Finding::Place(SpanKind::Suggestion),
        "complaint" => Finding::Place(SpanKind::Complaint),
        "thanks" => Finding::Place(SpanKind::Thanks),
        "promise" => Finding::Place(SpanKind::Promise),
        "favorable" => Finding::Stance(Stance::Favorable),
        "neutral" => Finding::Stance(Stance::Neutral),
        "unfavorable" => Finding::Stance(Stance::Unfavorable),
        _ => return None,
    })
}

/// A rule with alternatives of which one is several words, or the end of the clause: the rule with that one, and with the
/// rest.
fn split(line: &str) -> Option<(String, String)> {
    let pattern = line.split(" / ").next()?;
    let item = pattern.split_whitespace().find(|item| item.contains('|') && item.contains(['-', '$']))?;
    let (special, rest): (Vec<&str>, Vec<&str>) = item.split('|').partition(|one| *one == "$" || one.contains('-'));
    let (first, others) = special.split_first()?;
    let rest = rest.into_iter().chain(others.iter().copied()).collect::<Vec<_>>().join("|");
    Some((line.replacen(item, first, 1), line.replacen(item, &rest, 1)))
}

/// Words, and stems with an asterisk behind them.
fn set(items: &[String]) -> Result<WordSet, String> {
    let (mut whole, mut stems) = (Vec::new(), Vec::new());
    for item in items {
        let stem = item.strip_suffix('*');
        let text = stem.unwrap_or(item);
        let mut words = Words::new(text);
        let Some(word) = words.next().filter(|word| word.end - word.start == text.len()) else {
            return Err(format!("'{item}' is not one word"));
        };
        match stem {
            Some(stem) => {
                let stem: String = folded(stem).collect();
                let head = if stem.chars().count() >= HEAD { hash(&stem, HEAD) } else { 0 };
                stems.push((head, stem));
            }
            None => whole.push(word.hash),
        }
    }
    Ok(WordSet::new(whole, stems))
}
