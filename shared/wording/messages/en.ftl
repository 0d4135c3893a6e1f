### What is told in English. Figures come in the language's own form; `SIGNED` adds a plus.
### Dates and amounts follow the patterns of Unicode CLDR (https://cldr.unicode.org): dates `dateFormats/long`, amounts
### `currencyFormats/standard` with the ISO code in place of the sign and the space of `currencySpacing`.

## Forms

# $month is the number of the month, 1 to 12.
date = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $day }, { $year }
money = { $currency }{ "\u00A0" }{ $amount }
and = { $first } and { $last }
facet-of = { $facet ->
    [rapport] { $party ->
        [provider] the provider's rapport
       *[customer] the customer's rapport
    }
    [trust] { $party ->
        [provider] the provider's trust
       *[customer] the customer's trust
    }
    [loyalty] { $party ->
        [provider] the provider's loyalty
       *[customer] the customer's loyalty
    }
    [ease] { $party ->
        [provider] the provider's ease
       *[customer] the customer's ease
    }
   *[value] { $party ->
        [provider] the provider's value
       *[customer] the customer's value
    }
}
the-bond = the bond

## An assessment

standing = The bond is { $bond } of 100 (95% interval { $low } to { $high }), { $way ->
    [rising] rising { $points } points a quarter
    [falling] falling { $points } points a quarter
   *[steady] steady
}; the relationship is in { $stage }.
nothing-known = Nothing is known of it yet: every score is the model's prior.
equally-close = Both parties stand equally close.
closer = { $party ->
    [provider] The provider stands { $points ->
        [one] { $points } point
       *[other] { $points } points
    } closer than the customer: { $near } against { $far }.
   *[customer] The customer stands { $points ->
        [one] { $points } point
       *[other] { $points } points
    } closer than the provider: { $near } against { $far }.
}
exposed = { $party ->
    [provider] The provider is exposed: it trusts { $points ->
        [one] { $points } point
       *[other] { $points } points
    } more than it is trusted.
   *[customer] The customer is exposed: it trusts { $points ->
        [one] { $points } point
       *[other] { $points } points
    } more than it is trusted.
}
reason = { $signal }{ $count ->
    [0] { "" }
    [one] { " " }({ $count } fact)
   *[other] { " " }({ $count } facts)
}: { SIGNED($points) } points for { $of }, { SIGNED($bond_points) } for the bond.
ordered = { $count ->
    [1] There was one order, on { $last }.
   *[other] There were { $count } orders, the first on { $first }, the last on { $last }.
}
worth = What came of it so far: { $amounts }.
worth-of = { $what ->
    [savings] { $amount } saved by the customer
    [margin] { $amount } earned by the provider
    [returned] { $amount } returned
   *[spend] { $amount } spent by the customer
}
emotions = { $party ->
    [provider] What the provider says shows { $emotions }.
   *[customer] What the customer says shows { $emotions }.
}
share-of-emotion = { $emotion } ({ $share }%)

## A comparison

still = { $tense ->
    [conditional] The bond would stand still at { $at }.
   *[past] The bond stands still at { $at }.
}
moved = { $subject } { $tense ->
    [conditional] { $way ->
        [up] would rise
       *[down] would fall
    }
   *[past] { $way ->
        [up] rose
       *[down] fell
    }
} by { $points } points, from { $from } to { $to }.
moved-stage = { $tense ->
    [conditional] The relationship would go from { $from } to { $to }.
   *[past] The relationship went from { $from } to { $to }.
}
because = { $cause ->
    [time] The passing of time
    [balance] The shifting balance of the evidence
   *[model] The change of model
}: { SIGNED($points) } for the bond.
change = { $signal } ({ $how ->
    [corrected] corrected,{ " " }
    [withdrawn] withdrawn,{ " " }
   *[new] { "" }
}{ $source }): { SIGNED($points) } points for { $of }, { SIGNED($bond_points) } for the bond.
chance-moved = { $days ->
    [one] Within { $days } day
   *[other] Within { $days } days
} the chance of an order would be { $to }% instead of { $from }%.

## What a watcher is told

nobody-exposed = Neither party is exposed any more.
exposed-now = { $party ->
    [provider] The provider is exposed now: it trusts more than it is trusted.
   *[customer] The customer is exposed now: it trusts more than it is trusted.
}
comes-from = It comes from { $causes }{ $more ->
    [0] { $source ->
        [none] { "" }
       *[other] : { $source }
    }
   *[other] : { $source } and { $more } more
}.

## A prediction

no-fit = What it will order is not predicted: nothing has been learned of the portfolio yet.
no-orders = What it will order is not predicted: it has not ordered yet.
closed = Nothing is predicted: the account has been closed.
ahead = { $days ->
    [one] Within { $days } day
   *[other] Within { $days } days
} the customer orders with a chance of { $chance }% (95% interval { $chance_low }% to { $chance_high }%), on { $order_days } days ({ $order_days_low } to { $order_days_high }).
spending = It will probably spend { $spend } in that time (95% interval { $low } to { $high }).
lifetime = All that it will ever spend is worth { $value } today (95% interval { $low } to { $high }), discounted by { $discount }% a year.
by-orders = By its orders alone the chance of one would be { $chance }%.
raises = What raises it most: { $features }.
lowers = What lowers it most: { $features }.
position = { $position ->
    [exposed] A rival's offer would probably take the customer, and the provider would probably not be asked.
    [contestable] A rival's offer could take the customer, but the provider would probably be given the chance to counter it.
    [resilient] The customer would probably stay in spite of a rival's offer, even without a counter-offer.
    [beyond_competition] The customer would almost surely stay, whatever a rival offers.
   *[unknown] Too little is known to tell what a rival's offer would do.
}
rivals = With a chance of { $counter }% the customer would give the provider the chance to counter a rival's offer; it would stay with a chance of { $stay }% without a counter-offer and of { $countered }% with one{ $cases ->
    [0] , by what is believed beforehand
    [one] , as learned from { $cases } offer
   *[other] , as learned from { $cases } offers
}.

## Opportunities

found = { $found ->
    [0] nothing stands out: what is known of { $accounts ->
        [1] the account
       *[other] { $accounts } accounts
    } supports no change that would be felt
    [1] one thing stands out of what is known of { $accounts ->
        [1] the account
       *[other] { $accounts } accounts
    }
   *[other] { $found } things stand out of what is known of { $accounts ->
        [1] the account
       *[other] { $accounts } accounts
    }
}
asks = { $lever ->
    [answer_faster] answer sooner, and settle what is asked for
    [settle_conflict] settle it to the customer's content
    [keep_commitment] keep the promise, or agree on a new one
    [reduce_corrections] help to make orders right at the first go
    [meet_need] meet it
    [contact_customer] get in touch and offer help
    [counter_offer] make a counter-offer
   *[deliver_on_time] deliver on time
}{ $best ->
    [yes] , as in the best quarter of the last year
   *[no] { "" }
}: { $finding }
lapses = { $lever ->
    [answer_faster] { $count ->
        [one] { $count } answer or solution was slow or missing
       *[other] { $count } answers or solutions were slow or missing
    }
    [reduce_corrections] { $count ->
        [one] { $count } order took repeated attempts or corrections
       *[other] { $count } orders took repeated attempts or corrections
    }
   *[deliver_on_time] { $count ->
        [one] { $count } delivery was late
       *[other] { $count } deliveries were late
    }
} in the last half-year
open = { $lever ->
    [answer_faster] { $count ->
        [one] { $count } matter is still open
       *[other] { $count } matters are still open
    }
    [reduce_corrections] { $count ->
        [one] { $count } is still to be put right
       *[other] { $count } are still to be put right
    }
    [settle_conflict] { $count ->
        [one] { $count } conflict is open
       *[other] { $count } conflicts are open
    }
    [meet_need] { $count ->
        [one] { $count } stated need is not met
       *[other] { $count } stated needs are not met
    }
    [counter_offer] { $count ->
        [one] { $count } offer of a rival is open, with the chance to counter
       *[other] { $count } offers of rivals are open, with the chance to counter
    }
    [keep_commitment] { $count ->
        [one] { $count } is overdue
       *[other] { $count } are overdue
    }
   *[deliver_on_time] { $count ->
        [one] { $count } is overdue
       *[other] { $count } are overdue
    }
}
soon = { $count ->
    [one] { $count } is due within two weeks
   *[other] { $count } are due within two weeks
}
silent = no order for { $days } days, where one came every { $gap } days
aim = { $signal }: the aim is { SIGNED($goal) } instead of { SIGNED($now) }, on a scale from -1 to +1.
aim-of-quarter = { $signal }: the aim is { SIGNED($goal) } instead of { SIGNED($now) }, on a scale from -1 to +1; so it was from { $from } to { $to }.
gain-orders = { $days ->
    [one] Within { $days } day
   *[other] Within { $days } days
} it would bring { SIGNED($value) } days with an order (95% interval { SIGNED($low) } to { SIGNED($high) }).
gain-spend = It would bring { $value } of spend in that time (95% interval { $low } to { $high }).
gain-kept = Of the customer's value, { $value } more would be kept if a rival made an offer (95% interval { $low } to { $high }).
rests-on = It rests on { $sources }{ $more ->
    [0] { "" }
   *[other] { " " }and { $more } more
}.

## Names

stage-awareness = awareness
stage-exploration = exploration
stage-expansion = expansion
stage-commitment = commitment
stage-dissolution = dissolution

cause-new = something new
cause-corrected = a correction
cause-withdrawn = something withdrawn
cause-time = the passing of time
cause-model = a change of model

emotion-joy = joy
emotion-trust = trust
emotion-fear = fear
emotion-surprise = surprise
emotion-sadness = sadness
emotion-disgust = disgust
emotion-anger = anger
emotion-anticipation = anticipation

lever-deliver_on_time = deliver on time
lever-answer_faster = answer faster
lever-settle_conflict = settle the conflict
lever-keep_commitment = keep the promise
lever-reduce_corrections = reduce corrections
lever-meet_need = meet the need
lever-contact_customer = contact the customer
lever-counter_offer = make a counter-offer

signal-customer_tone = the tone of what the customer says
signal-customer_reply_speed = how soon the customer replies
signal-customer_initiative = contacts the customer began
signal-customer_meeting = meetings with the customer
signal-contact_breadth = how many people at the customer take part
signal-interaction_satisfaction = satisfaction with conversations
signal-delivery_promise = deliveries against their promised date
signal-provider_commitment = commitments of the provider, kept or broken
signal-resolution = problems solved or left open
signal-conflict = conflicts
signal-settlement = how conflicts were settled
signal-first_contact = the first sales contacts
signal-onboarding = the steps of onboarding
signal-policy_satisfaction = what the customer says of policies and fairness
signal-order_rhythm = orders against what was to be expected
signal-ordering = orders placed
signal-cancellation = orders the customer cancelled
signal-departure = the closing of the account
signal-offer_outcome = rivals' offers declined or taken
signal-recommendation = willingness to recommend
signal-offer_disclosure = rivals' offers disclosed or hidden
signal-advocacy = compliments and referrals
signal-placing_attempts = attempts needed to place an order
signal-placing_corrections = corrections needed while placing an order
signal-placing_time = the time it takes to place an order
signal-delivery_on_time = deliveries on time
signal-delivery_complete = deliveries complete
signal-delivery_undamaged = deliveries undamaged
signal-delivery_papers = deliveries with the right papers
signal-effort = the effort the customer reports
signal-contacts_to_resolve = contacts needed to solve a problem
signal-savings = what the customer saves
signal-fulfilment = orders fulfilled and kept
signal-need_met = needs met
signal-product_satisfaction = satisfaction with products
signal-outcome_stated = outcomes the customer reports
signal-provider_tone = the tone of what the provider says
signal-provider_response_time = how soon the provider answers
signal-provider_initiative = contacts the provider began
signal-payment_on_time = payments against their due date
signal-customer_commitment = commitments of the customer, kept or broken
signal-fair_returns = fair use of returns
signal-terms_granted = terms granted to the customer
signal-concession = concessions and priority granted
signal-proactive_contact = help offered before it was asked for
signal-stayed_through_trouble = standing by the customer in trouble
signal-counter_offer = counter-offers made when given the chance
signal-support_load = support the customer needs
signal-order_corrections = corrections the customer's orders need
signal-return_effort = the work returns cause
signal-margin = the margin on orders
signal-spend = what the customer spends
signal-referral = customers brought by this one
signal-idea_given = ideas the customer gave
signal-customer_assurance = trust, fear and anger in what the customer says
signal-provider_assurance = trust, fear and anger in what the provider says
signal-rival_mention = what the customer says of rivals

feature-days-since-the-last-order = days since the last order
feature-days-since-the-first-order = days since the first order
feature-repeat-orders = repeat orders
feature-days-from-the-first-order-to-the-last = days from the first order to the last
feature-mean-gap-between-orders = mean gap between orders
feature-spread-of-gaps-between-orders = spread of gaps between orders
feature-silence-against-the-mean-gap = silence against the mean gap
feature-silence-against-the-longest-gap = silence against the longest gap
feature-orders-in-the-last-14-days = orders in the last 14 days
feature-orders-in-the-last-28-days = orders in the last 28 days
feature-orders-in-the-last-56-days = orders in the last 56 days
feature-orders-in-the-last-91-days = orders in the last 91 days
feature-pace-of-the-last-28-days-against-the-usual = pace of the last 28 days against the usual
feature-pace-of-the-last-91-days-against-the-usual = pace of the last 91 days against the usual
feature-trend-of-orders-over-two-quarters = trend of orders over two quarters
feature-repeat-orders-per-week = repeat orders per week
feature-share-of-the-time-silent-since-the-last-order = share of the time silent since the last order
feature-spend-in-the-last-91-days = spend in the last 91 days
feature-mean-spend-of-an-order = mean spend of an order
feature-spend-of-the-last-order = spend of the last order
feature-greatest-spend-of-an-order = greatest spend of an order
feature-spend-so-far = spend so far
feature-spend-per-week = spend per week
feature-rapport-as-the-customer-sees-it = rapport as the customer sees it
feature-trust-as-the-customer-sees-it = trust as the customer sees it
feature-loyalty-as-the-customer-sees-it = loyalty as the customer sees it
feature-ease-as-the-customer-sees-it = ease as the customer sees it
feature-value-as-the-customer-sees-it = value as the customer sees it
feature-rapport-as-the-provider-sees-it = rapport as the provider sees it
feature-trust-as-the-provider-sees-it = trust as the provider sees it
feature-loyalty-as-the-provider-sees-it = loyalty as the provider sees it
feature-ease-as-the-provider-sees-it = ease as the provider sees it
feature-value-as-the-provider-sees-it = value as the provider sees it
feature-movement-of-the-customers-rapport = movement of the customer's rapport
feature-movement-of-the-customers-trust = movement of the customer's trust
feature-movement-of-the-customers-loyalty = movement of the customer's loyalty
feature-movement-of-the-customers-ease = movement of the customer's ease
feature-movement-of-the-customers-value = movement of the customer's value
feature-movement-of-the-providers-rapport = movement of the provider's rapport
feature-movement-of-the-providers-trust = movement of the provider's trust
feature-movement-of-the-providers-loyalty = movement of the provider's loyalty
feature-movement-of-the-providers-ease = movement of the provider's ease
feature-movement-of-the-providers-value = movement of the provider's value
feature-confidence-of-the-customers-view = confidence of the customer's view
feature-confidence-of-the-providers-view = confidence of the provider's view
feature-contacts-by-the-customer = contacts by the customer
feature-contacts-by-the-provider = contacts by the provider
feature-share-of-spend-returned = share of spend returned
feature-share-of-the-list-price-saved = share of the list price saved
feature-share-of-orders-cancelled = share of orders cancelled
feature-open-matters = open matters
feature-general-level-of-recent-time = general level of recent time
feature-forecast-of-the-activity-model = forecast of the activity model
feature-at-least-as-many-orders-as-the-chance-of-one = at least as many orders as the chance of one
feature-bound-of-certainty = bound of certainty
