### What is told in Dutch; see en.ftl.

## Forms

date = { $day } { $month ->
    [1] januari
    [2] februari
    [3] maart
    [4] april
    [5] mei
    [6] juni
    [7] juli
    [8] augustus
    [9] september
    [10] oktober
    [11] november
   *[12] december
} { $year }
money = { $currency }{ "\u00A0" }{ $amount }
and = { $first } en { $last }
facet-of = { $facet ->
    [rapport] { $party ->
        [provider] de verstandhouding van de leverancier
       *[customer] de verstandhouding van de klant
    }
    [trust] { $party ->
        [provider] het vertrouwen van de leverancier
       *[customer] het vertrouwen van de klant
    }
    [loyalty] { $party ->
        [provider] de loyaliteit van de leverancier
       *[customer] de loyaliteit van de klant
    }
    [ease] { $party ->
        [provider] het gemak voor de leverancier
       *[customer] het gemak voor de klant
    }
   *[value] { $party ->
        [provider] de waarde voor de leverancier
       *[customer] de waarde voor de klant
    }
}
the-bond = de band

## An assessment

standing = De band staat op { $bond } van de 100 (95%-interval { $low } tot { $high }) en { $way ->
    [rising] stijgt met { $points } punten per kwartaal
    [falling] daalt met { $points } punten per kwartaal
   *[steady] is stabiel
}; fase van de relatie: { $stage }.
nothing-known = Er is nog niets over bekend: elke score is de uitgangswaarde van het model.
equally-close = Beide partijen staan even dicht bij elkaar.
closer = { $party ->
    [provider] De leverancier staat { $points ->
        [one] { $points } punt
       *[other] { $points } punten
    } dichterbij dan de klant: { $near } tegen { $far }.
   *[customer] De klant staat { $points ->
        [one] { $points } punt
       *[other] { $points } punten
    } dichterbij dan de leverancier: { $near } tegen { $far }.
}
exposed = { $party ->
    [provider] De leverancier stelt zich kwetsbaar op: het vertrouwen dat hij geeft is { $points ->
        [one] { $points } punt
       *[other] { $points } punten
    } groter dan het vertrouwen dat hij krijgt.
   *[customer] De klant stelt zich kwetsbaar op: het vertrouwen dat hij geeft is { $points ->
        [one] { $points } punt
       *[other] { $points } punten
    } groter dan het vertrouwen dat hij krijgt.
}
reason = { $signal }{ $count ->
    [0] { "" }
    [one] { " " }({ $count } feit)
   *[other] { " " }({ $count } feiten)
}: { $of } { SIGNED($points) } punten, de band { SIGNED($bond_points) }.
ordered = { $count ->
    [1] Er was één bestelling, op { $last }.
   *[other] Er waren { $count } bestellingen, de eerste op { $first }, de laatste op { $last }.
}
worth = Wat het tot nu toe heeft opgeleverd: { $amounts }.
worth-of = { $what ->
    [savings] { $amount } bespaard door de klant
    [margin] { $amount } verdiend door de leverancier
    [returned] { $amount } teruggestuurd
   *[spend] { $amount } uitgegeven door de klant
}
emotions = { $party ->
    [provider] Uit de woorden van de leverancier spreekt { $emotions }.
   *[customer] Uit de woorden van de klant spreekt { $emotions }.
}
share-of-emotion = { $emotion } ({ $share }%)

## A comparison

still = { $tense ->
    [conditional] De band zou op { $at } blijven staan.
   *[past] De band is op { $at } blijven staan.
}
moved = { $tense ->
    [conditional] { $subject } zou met { $points } punten { $way ->
        [up] stijgen
       *[down] dalen
    }, van { $from } naar { $to }.
   *[past] { $subject } is met { $points } punten { $way ->
        [up] gestegen
       *[down] gedaald
    }, van { $from } naar { $to }.
}
moved-stage = { $tense ->
    [conditional] De relatie zou in een andere fase komen: { $to } in plaats van { $from }.
   *[past] De relatie is in een andere fase gekomen: { $to } in plaats van { $from }.
}
because = { $cause ->
    [time] Het verstrijken van de tijd
    [balance] De verschuivende balans van de feiten
   *[model] De wisseling van model
}: de band { SIGNED($points) } punten.
change = { $signal } ({ $how ->
    [corrected] gecorrigeerd,{ " " }
    [withdrawn] ingetrokken,{ " " }
   *[new] { "" }
}{ $source }): { $of } { SIGNED($points) } punten, de band { SIGNED($bond_points) }.
chance-moved = { $days ->
    [one] Binnen { $days } dag
   *[other] Binnen { $days } dagen
} zou de kans op een bestelling { $to }% zijn in plaats van { $from }%.

## What a watcher is told

nobody-exposed = Geen van beide partijen is nog kwetsbaar.
exposed-now = { $party ->
    [provider] De leverancier is nu kwetsbaar: hij geeft meer vertrouwen dan hij krijgt.
   *[customer] De klant is nu kwetsbaar: hij geeft meer vertrouwen dan hij krijgt.
}
comes-from = Het komt door { $causes }{ $more ->
    [0] { $source ->
        [none] { "" }
       *[other] : { $source }
    }
   *[other] : { $source } en nog { $more }
}.

## A prediction

no-fit = Wat de klant gaat bestellen is niet voorspeld: er is nog niets van het klantenbestand geleerd.
no-orders = Wat de klant gaat bestellen is niet voorspeld: er is nog nooit besteld.
closed = Er wordt niets voorspeld: het account is gesloten.
ahead = { $days ->
    [one] Binnen { $days } dag
   *[other] Binnen { $days } dagen
} bestelt de klant met een kans van { $chance }% (95%-interval { $chance_low }% tot { $chance_high }%), op { $order_days } dagen ({ $order_days_low } tot { $order_days_high }).
spending = De klant geeft in die tijd waarschijnlijk { $spend } uit (95%-interval { $low } tot { $high }).
lifetime = Alles wat de klant ooit nog uitgeeft is nu { $value } waard (95%-interval { $low } tot { $high }), tegen een disconteringsvoet van { $discount }% per jaar.
by-orders = Op grond van alleen de bestellingen zou die kans { $chance }% zijn.
raises = Wat de kans het meest verhoogt: { $features }.
lowers = Wat de kans het meest verlaagt: { $features }.
position = { $position ->
    [exposed] Het aanbod van een concurrent zou de klant waarschijnlijk wegtrekken, en de leverancier zou waarschijnlijk niets gevraagd worden.
    [contestable] Het aanbod van een concurrent kan de klant wegtrekken, maar de leverancier zou waarschijnlijk de kans krijgen op een tegenbod.
    [resilient] De klant zou waarschijnlijk blijven ondanks het aanbod van een concurrent, ook zonder tegenbod.
    [beyond_competition] De klant zou vrijwel zeker blijven, wat een concurrent ook biedt.
   *[unknown] Er is te weinig bekend om te zeggen wat het aanbod van een concurrent zou doen.
}
rivals = Met een kans van { $counter }% zou de leverancier een tegenbod kunnen doen op het aanbod van een concurrent; de klant zou blijven met een kans van { $stay }% zonder tegenbod en van { $countered }% met een tegenbod{ $cases ->
    [0] , naar wat vooraf wordt aangenomen
    [one] , zoals geleerd van { $cases } aanbod
   *[other] , zoals geleerd van { $cases } aanbiedingen
}.

## Opportunities

found = { $found ->
    [0] niets springt eruit: wat bekend is van { $accounts ->
        [1] de klant
       *[other] { $accounts } klanten
    } wijst op geen verandering die voelbaar zou zijn
    [1] één ding springt eruit in wat bekend is van { $accounts ->
        [1] de klant
       *[other] { $accounts } klanten
    }
   *[other] { $found } dingen springen eruit in wat bekend is van { $accounts ->
        [1] de klant
       *[other] { $accounts } klanten
    }
}
asks = { $lever ->
    [answer_faster] eerder antwoorden en afhandelen wat gevraagd wordt
    [settle_conflict] het geschil naar tevredenheid van de klant oplossen
    [keep_commitment] de belofte nakomen, of een nieuwe afspreken
    [reduce_corrections] helpen om bestellingen in één keer goed te krijgen
    [meet_need] aan de behoefte voldoen
    [contact_customer] contact opnemen en hulp aanbieden
    [counter_offer] een tegenbod doen
   *[deliver_on_time] op tijd leveren
}{ $best ->
    [yes] , zoals in het beste kwartaal van het afgelopen jaar
   *[no] { "" }
}: { $finding }
lapses = { $lever ->
    [answer_faster] { $count ->
        [one] { $count } antwoord of oplossing was in het afgelopen halfjaar traag of bleef uit
       *[other] { $count } antwoorden of oplossingen waren in het afgelopen halfjaar traag of bleven uit
    }
    [reduce_corrections] { $count ->
        [one] { $count } bestelling vergde
       *[other] { $count } bestellingen vergden
    } in het afgelopen halfjaar meer pogingen of correcties
   *[deliver_on_time] { $count ->
        [one] { $count } levering was
       *[other] { $count } leveringen waren
    } in het afgelopen halfjaar te laat
}
open = { $lever ->
    [answer_faster] { $count ->
        [one] { $count } kwestie is nog open
       *[other] { $count } kwesties zijn nog open
    }
    [reduce_corrections] { $count ->
        [one] { $count } bestelling moet nog worden rechtgezet
       *[other] { $count } bestellingen moeten nog worden rechtgezet
    }
    [settle_conflict] { $count ->
        [one] { $count } geschil is open
       *[other] { $count } geschillen zijn open
    }
    [meet_need] { $count ->
        [one] { $count } uitgesproken behoefte is niet vervuld
       *[other] { $count } uitgesproken behoeften zijn niet vervuld
    }
    [counter_offer] { $count ->
        [one] { $count } aanbod van een concurrent staat open, met de kans op een tegenbod
       *[other] { $count } aanbiedingen van concurrenten staan open, met de kans op een tegenbod
    }
    [keep_commitment] { $count ->
        [one] { $count } belofte is over tijd
       *[other] { $count } beloften zijn over tijd
    }
   *[deliver_on_time] { $count ->
        [one] { $count } levering is over tijd
       *[other] { $count } leveringen zijn over tijd
    }
}
soon = { $count ->
    [one] { $count } belofte moet binnen twee weken worden nagekomen
   *[other] { $count } beloften moeten binnen twee weken worden nagekomen
}
silent = al { $days } dagen geen bestelling, terwijl er om de { $gap } dagen een kwam
aim = { $signal }: het doel is { SIGNED($goal) } in plaats van { SIGNED($now) }, op een schaal van -1 tot +1.
aim-of-quarter = { $signal }: het doel is { SIGNED($goal) } in plaats van { SIGNED($now) }, op een schaal van -1 tot +1; zo was het van { $from } tot { $to }.
gain-orders = { $days ->
    [one] Binnen { $days } dag
   *[other] Binnen { $days } dagen
} zou het { SIGNED($value) } dagen met een bestelling opleveren (95%-interval { SIGNED($low) } tot { SIGNED($high) }).
gain-spend = Het zou in die tijd { $value } aan uitgaven opleveren (95%-interval { $low } tot { $high }).
gain-kept = Van de waarde van de klant zou { $value } meer behouden blijven als een concurrent een aanbod deed (95%-interval { $low } tot { $high }).
rests-on = Het berust op { $sources }{ $more ->
    [0] { "" }
   *[other] { " " }en nog { $more }
}.

## Names

stage-awareness = kennismaking
stage-exploration = verkenning
stage-expansion = uitbreiding
stage-commitment = verbondenheid
stage-dissolution = ontbinding

cause-new = iets nieuws
cause-corrected = een correctie
cause-withdrawn = iets wat is ingetrokken
cause-time = het verstrijken van de tijd
cause-model = een wisseling van model

emotion-joy = vreugde
emotion-trust = vertrouwen
emotion-fear = angst
emotion-surprise = verrassing
emotion-sadness = verdriet
emotion-disgust = afkeer
emotion-anger = boosheid
emotion-anticipation = verwachting

lever-deliver_on_time = op tijd leveren
lever-answer_faster = sneller antwoorden
lever-settle_conflict = het geschil oplossen
lever-keep_commitment = de belofte nakomen
lever-reduce_corrections = minder correcties
lever-meet_need = aan de behoefte voldoen
lever-contact_customer = contact opnemen met de klant
lever-counter_offer = een tegenbod doen

signal-customer_tone = de toon van wat de klant zegt
signal-customer_reply_speed = hoe snel de klant antwoordt
signal-customer_initiative = contacten op initiatief van de klant
signal-customer_meeting = ontmoetingen met de klant
signal-contact_breadth = hoeveel mensen bij de klant meedoen
signal-interaction_satisfaction = tevredenheid over gesprekken
signal-delivery_promise = leveringen tegenover de beloofde datum
signal-provider_commitment = nagekomen of gebroken toezeggingen van de leverancier
signal-resolution = opgeloste of onopgeloste problemen
signal-conflict = geschillen
signal-settlement = hoe geschillen zijn opgelost
signal-first_contact = de eerste verkoopcontacten
signal-onboarding = de stappen van de ingebruikname
signal-policy_satisfaction = wat de klant zegt over beleid en eerlijkheid
signal-order_rhythm = bestellingen tegenover de verwachting
signal-ordering = geplaatste bestellingen
signal-cancellation = door de klant geannuleerde bestellingen
signal-departure = het opzeggen van het account
signal-offer_outcome = afgewezen of aangenomen aanbiedingen van concurrenten
signal-recommendation = bereidheid om aan te bevelen
signal-offer_disclosure = gemelde of verzwegen aanbiedingen van concurrenten
signal-advocacy = complimenten en aanbevelingen
signal-placing_attempts = pogingen die een bestelling kost
signal-placing_corrections = correcties tijdens het bestellen
signal-placing_time = de tijd die bestellen kost
signal-delivery_on_time = leveringen op tijd
signal-delivery_complete = volledige leveringen
signal-delivery_undamaged = onbeschadigde leveringen
signal-delivery_papers = leveringen met de juiste papieren
signal-effort = de moeite die de klant noemt
signal-contacts_to_resolve = contacten die een oplossing kost
signal-savings = wat de klant bespaart
signal-fulfilment = vervulde en behouden bestellingen
signal-need_met = vervulde behoeften
signal-product_satisfaction = tevredenheid over producten
signal-outcome_stated = resultaten die de klant noemt
signal-provider_tone = de toon van wat de leverancier zegt
signal-provider_response_time = hoe snel de leverancier antwoordt
signal-provider_initiative = contacten op initiatief van de leverancier
signal-payment_on_time = betalingen tegenover de vervaldatum
signal-customer_commitment = nagekomen of gebroken toezeggingen van de klant
signal-fair_returns = redelijk gebruik van retourzendingen
signal-terms_granted = aan de klant verleende voorwaarden
signal-concession = verleende concessies en voorrang
signal-proactive_contact = hulp die ongevraagd werd aangeboden
signal-stayed_through_trouble = steun aan de klant in moeilijke tijden
signal-counter_offer = gedaan tegenbod wanneer de kans er was
signal-support_load = ondersteuning die de klant nodig heeft
signal-order_corrections = correcties die de bestellingen van de klant vergen
signal-return_effort = het werk dat retourzendingen geven
signal-margin = de marge op bestellingen
signal-spend = wat de klant uitgeeft
signal-referral = door deze klant aangebrachte klanten
signal-idea_given = ideeën die de klant gaf
signal-customer_assurance = vertrouwen, angst en boosheid in wat de klant zegt
signal-provider_assurance = vertrouwen, angst en boosheid in wat de aanbieder zegt
signal-rival_mention = wat de klant over concurrenten zegt

feature-days-since-the-last-order = dagen sinds de laatste bestelling
feature-days-since-the-first-order = dagen sinds de eerste bestelling
feature-repeat-orders = herhaalde bestellingen
feature-days-from-the-first-order-to-the-last = dagen van de eerste tot de laatste bestelling
feature-mean-gap-between-orders = gemiddelde tussentijd van bestellingen
feature-spread-of-gaps-between-orders = spreiding van de tussentijden
feature-silence-against-the-mean-gap = stilte tegenover de gemiddelde tussentijd
feature-silence-against-the-longest-gap = stilte tegenover de langste tussentijd
feature-orders-in-the-last-14-days = bestellingen in de afgelopen 14 dagen
feature-orders-in-the-last-28-days = bestellingen in de afgelopen 28 dagen
feature-orders-in-the-last-56-days = bestellingen in de afgelopen 56 dagen
feature-orders-in-the-last-91-days = bestellingen in de afgelopen 91 dagen
feature-pace-of-the-last-28-days-against-the-usual = tempo van de afgelopen 28 dagen tegenover het gebruikelijke
feature-pace-of-the-last-91-days-against-the-usual = tempo van de afgelopen 91 dagen tegenover het gebruikelijke
feature-trend-of-orders-over-two-quarters = verloop van de bestellingen over twee kwartalen
feature-repeat-orders-per-week = herhaalde bestellingen per week
feature-share-of-the-time-silent-since-the-last-order = aandeel van de tijd in stilte sinds de laatste bestelling
feature-spend-in-the-last-91-days = uitgaven in de afgelopen 91 dagen
feature-mean-spend-of-an-order = gemiddelde waarde van een bestelling
feature-spend-of-the-last-order = waarde van de laatste bestelling
feature-greatest-spend-of-an-order = waarde van de grootste bestelling
feature-spend-so-far = uitgaven tot nu toe
feature-spend-per-week = uitgaven per week
feature-rapport-as-the-customer-sees-it = verstandhouding zoals de klant het ziet
feature-trust-as-the-customer-sees-it = vertrouwen zoals de klant het ziet
feature-loyalty-as-the-customer-sees-it = loyaliteit zoals de klant het ziet
feature-ease-as-the-customer-sees-it = gemak zoals de klant het ziet
feature-value-as-the-customer-sees-it = waarde zoals de klant het ziet
feature-rapport-as-the-provider-sees-it = verstandhouding zoals de leverancier het ziet
feature-trust-as-the-provider-sees-it = vertrouwen zoals de leverancier het ziet
feature-loyalty-as-the-provider-sees-it = loyaliteit zoals de leverancier het ziet
feature-ease-as-the-provider-sees-it = gemak zoals de leverancier het ziet
feature-value-as-the-provider-sees-it = waarde zoals de leverancier het ziet
feature-movement-of-the-customers-rapport = ontwikkeling van de verstandhouding van de klant
feature-movement-of-the-customers-trust = ontwikkeling van het vertrouwen van de klant
feature-movement-of-the-customers-loyalty = ontwikkeling van de loyaliteit van de klant
feature-movement-of-the-customers-ease = ontwikkeling van het gemak voor de klant
feature-movement-of-the-customers-value = ontwikkeling van de waarde voor de klant
feature-movement-of-the-providers-rapport = ontwikkeling van de verstandhouding van de leverancier
feature-movement-of-the-providers-trust = ontwikkeling van het vertrouwen van de leverancier
feature-movement-of-the-providers-loyalty = ontwikkeling van de loyaliteit van de leverancier
feature-movement-of-the-providers-ease = ontwikkeling van het gemak voor de leverancier
feature-movement-of-the-providers-value = ontwikkeling van de waarde voor de leverancier
feature-confidence-of-the-customers-view = zekerheid over de kant van de klant
feature-confidence-of-the-providers-view = zekerheid over de kant van de leverancier
feature-contacts-by-the-customer = contacten door de klant
feature-contacts-by-the-provider = contacten door de leverancier
feature-share-of-spend-returned = teruggestuurd deel van de uitgaven
feature-share-of-the-list-price-saved = op de catalogusprijs bespaard deel
feature-share-of-orders-cancelled = aandeel geannuleerde bestellingen
feature-open-matters = open kwesties
feature-general-level-of-recent-time = algemeen peil van de laatste tijd
feature-forecast-of-the-activity-model = verwachting van het bestelmodel
feature-at-least-as-many-orders-as-the-chance-of-one = minstens zoveel bestellingen als de kans op één
feature-bound-of-certainty = grens van de zekerheid
