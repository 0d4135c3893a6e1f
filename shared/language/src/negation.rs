//! What turns the words after it round, and what ends its reach.

use crate::Language;
use crate::hash;

/// So many words after a negation are features of their own.
pub(crate) const REACH: u32 = 3;
/// For so many words after a negation a valence of a word list is turned round and weakened.
pub(crate) const VALENCE_REACH: u32 = 4;
/// What is left of a valence that is negated: less than nothing, and weaker. After Hutto and Gilbert, VADER (2014):
/// -0.74.
pub(crate) const TURNED: f32 = -0.7;

const ENGLISH: &str = "not no never none nobody nothing neither nor nowhere cannot without hardly barely scarcely lacks lack \
    lacking cant dont wont didnt doesnt isnt wasnt werent arent aint couldnt wouldnt shouldnt hasnt havent hadnt";
const HUNGARIAN: &str = "nem ne nincs nincsen nincsenek sincs sem se soha sose sohasem semmi senki semmilyen egyik nélkül aligha \
    alig képtelen";
const DUTCH: &str = "niet geen nooit niets niks niemand nergens noch zonder nauwelijks amper nimmer evenmin";
const PORTUGUESE: &str = "não nao nunca nem jamais nada nenhum nenhuma ninguém ninguem sem tampouco n ñ";

/// What ends a negation's reach, besides punctuation.
const ENGLISH_ENDS: &str = "but however though although";
const HUNGARIAN_ENDS: &str = "de hanem viszont azonban ám";
const DUTCH_ENDS: &str = "maar echter wel";
const PORTUGUESE_ENDS: &str = "mas porém contudo todavia";

/// What strengthens the valence after it, and what weakens it, by a quarter each.
const STRONGER: [&str; 4] = [
    "very really extremely so too absolutely totally completely incredibly super highly truly most",
    "nagyon igazán rendkívül túl annyira teljesen hihetetlenül szuper igen borzasztóan legeslegjobban",
    "erg heel zeer echt super enorm ontzettend te zo helemaal volledig bijzonder uiterst",
    "muito muita muitos muitas demais tão realmente super extremamente totalmente completamente bem mega",
];
const WEAKER: [&str; 4] = [
    "somewhat slightly kinda rather fairly partly almost little bit",
    "kissé kicsit némileg eléggé félig majdnem",
    "beetje enigszins redelijk nogal best bijna vrij",
    "pouco meio quase relativamente ligeiramente",
];

/// What a word does to the words after it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Turns them round.
    Negates,
    /// Ends the reach of a negation.
    Ends,
    /// Multiplies the valence of the next.
    Grades(f32),
}

/// The words of one language that have an effect, by their hashes in ascending order.
#[derive(Debug)]
pub(crate) struct Effects {
    effects: Vec<(u64, Effect)>,
    /// A bit for the upper ten bits of each hash: most words have no effect, and are told so by one look.
    may_have: [u64; 16],
}

impl Effects {
    pub(crate) fn of(language: Language) -> Self {
        let (negators, ends) = match language {
            Language::English => (ENGLISH, ENGLISH_ENDS),
            Language::Hungarian => (HUNGARIAN, HUNGARIAN_ENDS),
            Language::Dutch => (DUTCH, DUTCH_ENDS),
            Language::Portuguese => (PORTUGUESE, PORTUGUESE_ENDS),
        };
        let index = language as usize;
        let lists = [
            (negators, Effect::Negates),
            (ends, Effect::Ends),
            (STRONGER[index], Effect::Grades(1.25)),
            (WEAKER[index], Effect::Grades(0.75)),
        ];
        let mut effects: Vec<_> = lists
            .into_iter()
            .flat_map(|(list, effect)| list.split_whitespace().map(move |word| (hash_of(word), effect)))
            .collect();
        effects.sort_by_key(|&(hash, _)| hash);
        let mut may_have = [0; 16];
        for (hash, _) in &effects {
            may_have[(hash >> 60) as usize] |= 1 << (hash >> 54 & 63);
        }
        Self { effects, may_have }
    }

    /// Returns the effect of the word with this hash.
    pub(crate) fn get(&self, hash: u64) -> Option<Effect> {
        if self.may_have[(hash >> 60) as usize] >> (hash >> 54 & 63) & 1 == 0 {
            return None;
        }
        self.effects.binary_search_by_key(&hash, |&(hash, _)| hash).ok().map(|at| self.effects[at].1)
    }
}

fn hash_of(word: &str) -> u64 {
    word.chars().fold(hash::WORD, |hash, character| hash::extend(hash, u64::from(character)))
}

/// Whether an English word ends in `n't`.
pub(crate) fn is_contracted(word: &[char]) -> bool {
    matches!(word, [.., 'n', '\'', 't'])
}
