//! The words an assessment is made of. Each has one name, the same in models, logs and reports.

/// Declares a closed set of words with their stored names.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// Every word of the set, in order of declaration.
            pub const ALL: [$name; [$($text),+].len()] = [$($name::$variant),+];

            /// The word in snake case, as models and reports write it.
            pub const fn name(self) -> &'static str {
                match self {
                    $($name::$variant => $text,)+
                }
            }

            /// The word of this name, if it is one.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|word| word.name() == name)
            }

            /// The position in [`Self::ALL`]. Stored encodings hold it, so words are appended,
            /// never moved.
            pub const fn index(self) -> usize {
                self as usize
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}
pub(crate) use vocabulary;

vocabulary! {
    /// Whose stance is described.
    View {
        /// How the customer stands toward the provider.
        Customer = "customer",
        /// How the provider stands toward the customer.
        Provider = "provider",
    }
}

impl View {
    /// The other party's view.
    pub const fn other(self) -> View {
        match self {
            View::Customer => View::Provider,
            View::Provider => View::Customer,
        }
    }
}

vocabulary! {
    /// What is scored in each view. Each facet is a score from 0 to 100.
    Facet {
        /// How well the parties get on when they talk.
        Rapport = "rapport",
        /// Whether one relies on what the other promises.
        Trust = "trust",
        /// Whether one stays, and would stay when tempted.
        Loyalty = "loyalty",
        /// How little effort dealing with the other takes.
        Ease = "ease",
        /// What the relationship is worth to this party.
        Value = "value",
    }
}

vocabulary! {
    /// A side of a facet that is also scored on its own, because mixing it away would hide what
    /// matters: loyalty of deed and of heart, ease of placing and of receiving, economic and
    /// social satisfaction (Geyskens, Steenkamp & Kumar 1999).
    Aspect {
        /// Belongs to the facet as a whole.
        General = "general",
        /// Loyalty shown by what is done.
        Behaviour = "behaviour",
        /// Loyalty shown by what is said and thought.
        Attitude = "attitude",
        /// Ease of placing orders.
        Placing = "placing",
        /// Ease of receiving orders.
        Receiving = "receiving",
        /// Value that can be counted.
        Economic = "economic",
        /// Value of the dealings themselves.
        Social = "social",
    }
}

vocabulary! {
    /// The eight basic emotions of Plutchik (1980).
    Emotion {
        /// Joy.
        Joy = "joy",
        /// Trust, as felt in the moment; the facet of that name is the considered judgement.
        Trust = "trust",
        /// Fear.
        Fear = "fear",
        /// Surprise, of either sign.
        Surprise = "surprise",
        /// Sadness, including disappointment.
        Sadness = "sadness",
        /// Disgust.
        Disgust = "disgust",
        /// Anger.
        Anger = "anger",
        /// Anticipation: looking forward to what comes.
        Anticipation = "anticipation",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_words() {
        for view in View::ALL {
            assert_eq!(View::from_name(view.name()), Some(view));
            assert_eq!(view.other().other(), view);
        }
        for facet in Facet::ALL {
            assert_eq!(Facet::from_name(facet.name()), Some(facet));
        }
        for aspect in Aspect::ALL {
            assert_eq!(Aspect::from_name(aspect.name()), Some(aspect));
        }
        for emotion in Emotion::ALL {
            assert_eq!(Emotion::from_name(emotion.name()), Some(emotion));
        }
        assert_eq!(Facet::from_name("Rapport"), None);
    }
}
