### What is told in Hungarian; see en.ftl. No word is made to take an ending that depends on what is put in.

## Forms

date = { $year }. { $month ->
    [1] január
    [2] február
    [3] március
    [4] április
    [5] május
    [6] június
    [7] július
    [8] augusztus
    [9] szeptember
    [10] október
    [11] november
   *[12] december
} { $day }.
money = { $amount }{ "\u00A0" }{ $currency }
and = { $first } és { $last }
facet-of = { $facet ->
    [rapport] { $party ->
        [provider] a szolgáltató közvetlensége
       *[customer] az ügyfél közvetlensége
    }
    [trust] { $party ->
        [provider] a szolgáltató bizalma
       *[customer] az ügyfél bizalma
    }
    [loyalty] { $party ->
        [provider] a szolgáltató lojalitása
       *[customer] az ügyfél lojalitása
    }
    [ease] { $party ->
        [provider] a szolgáltató kényelme
       *[customer] az ügyfél kényelme
    }
   *[value] { $party ->
        [provider] a szolgáltató haszna
       *[customer] az ügyfél haszna
    }
}
the-bond = a kötelék erőssége

## An assessment

standing = A kötelék erőssége 100-ból { $bond } (95%-os intervallum: { $low } és { $high } között), { $way ->
    [rising] negyedévente { $points } ponttal nő
    [falling] negyedévente { $points } ponttal csökken
   *[steady] nem változik
}; a kapcsolat szakasza: { $stage }.
nothing-known = Még semmit sem tudunk róla: minden pontszám a modell kiinduló értéke.
equally-close = A két fél egyformán közel áll egymáshoz.
closer = { $party ->
    [provider] A szolgáltató { $points } ponttal közelebb áll, mint az ügyfél: { $near }, illetve { $far } pont.
   *[customer] Az ügyfél { $points } ponttal közelebb áll, mint a szolgáltató: { $near }, illetve { $far } pont.
}
exposed = { $party ->
    [provider] A szolgáltató kiszolgáltatott: { $points } ponttal jobban bízik az ügyfélben, mint az ügyfél őbenne.
   *[customer] Az ügyfél kiszolgáltatott: { $points } ponttal jobban bízik a szolgáltatóban, mint a szolgáltató őbenne.
}
reason = { $signal }{ $count ->
    [0] { "" }
   *[other] { " " }({ $count } tény)
}: { $of } { SIGNED($points) } pont, a kötelék erőssége { SIGNED($bond_points) } pont.
ordered = { $count ->
    [1] Egyetlen rendelés érkezett, ekkor: { $last }
   *[other] { $count } rendelés érkezett; az első: { $first }, az utolsó: { $last }
}
worth = Ami eddig származott belőle: { $amounts }.
worth-of = { $what ->
    [savings] az ügyfél megtakarítása { $amount }
    [margin] a szolgáltató nyeresége { $amount }
    [returned] a visszaküldött áru értéke { $amount }
   *[spend] az ügyfél költése { $amount }
}
emotions = { $party ->
    [provider] A szolgáltató szavaiból kiolvasható érzelmek: { $emotions }.
   *[customer] Az ügyfél szavaiból kiolvasható érzelmek: { $emotions }.
}
share-of-emotion = { $emotion } ({ $share }%)

## A comparison

still = { $tense ->
    [conditional] A kötelék erőssége nem változna, { $at } pont maradna.
   *[past] A kötelék erőssége nem változott, { $at } pont.
}
moved = { $subject } { $points } ponttal { $tense ->
    [conditional] { $way ->
        [up] nőne
       *[down] csökkenne
    }
   *[past] { $way ->
        [up] nőtt
       *[down] csökkent
    }
} ({ $from } → { $to }).
moved-stage = { $tense ->
    [conditional] A kapcsolat más szakaszba kerülne: { $from } → { $to }.
   *[past] A kapcsolat más szakaszba került: { $from } → { $to }.
}
because = { $cause ->
    [time] Az idő múlása
    [balance] A bizonyítékok súlyának eltolódása
   *[model] A modell változása
}: { SIGNED($points) } pont a kötelék erősségében.
change = { $signal } ({ $how ->
    [corrected] helyesbítve,{ " " }
    [withdrawn] visszavonva,{ " " }
   *[new] { "" }
}{ $source }): { $of } { SIGNED($points) } pont, a kötelék erőssége { SIGNED($bond_points) } pont.
chance-moved = Egy rendelés esélye { $days } napon belül { $from }% helyett { $to }% lenne.

## What a watcher is told

nobody-exposed = Már egyik fél sem kiszolgáltatott.
exposed-now = { $party ->
    [provider] A szolgáltató most kiszolgáltatott: jobban bízik az ügyfélben, mint az ügyfél őbenne.
   *[customer] Az ügyfél most kiszolgáltatott: jobban bízik a szolgáltatóban, mint a szolgáltató őbenne.
}
comes-from = Az oka: { $causes }{ $more ->
    [0] { $source ->
        [none] { "" }
       *[other] : { $source }
    }
   *[other] : { $source } és még { $more }
}.

## A prediction

no-fit = Hogy mit fog rendelni, arra nincs előrejelzés: az ügyfélkörből még semmi sem tanulható.
no-orders = Hogy mit fog rendelni, arra nincs előrejelzés: még nem rendelt.
closed = Nincs előrejelzés: a fiók lezárult.
ahead = { $days } napon belül az ügyfél { $chance }% eséllyel rendel (95%-os intervallum: { $chance_low }% és { $chance_high }% között), várhatóan { $order_days } napon ({ $order_days_low } és { $order_days_high } között).
spending = Várható költése ezalatt { $spend } (95%-os intervallum: { $low } és { $high } között).
lifetime = Minden jövőbeli költésének mai értéke { $value } (95%-os intervallum: { $low } és { $high } között), évi { $discount }%-os leszámítolással.
by-orders = Pusztán a rendelései alapján ez az esély { $chance }% lenne.
raises = Ami leginkább növeli: { $features }.
lowers = Ami leginkább csökkenti: { $features }.
position = { $position ->
    [exposed] Egy versenytárs ajánlata valószínűleg elvinné az ügyfelet, és a szolgáltatót valószínűleg meg sem kérdeznék.
    [contestable] Egy versenytárs ajánlata elvihetné az ügyfelet, de a szolgáltató valószínűleg esélyt kapna az ellenajánlatra.
    [resilient] Az ügyfél egy versenytárs ajánlata ellenére is valószínűleg maradna, még ellenajánlat nélkül is.
    [beyond_competition] Az ügyfél szinte biztosan maradna, bármit ajánl egy versenytárs.
   *[unknown] Túl keveset tudunk ahhoz, hogy kiderüljön, mit okozna egy versenytárs ajánlata.
}
rivals = Egy versenytárs ajánlatára a szolgáltató { $counter }% eséllyel tehetne ellenajánlatot; az ügyfél ellenajánlat nélkül { $stay }%, ellenajánlattal { $countered }% eséllyel maradna{ $cases ->
    [0] , előzetes feltevés alapján
   *[other] , { $cases } korábbi ajánlat tanulsága alapján
}.

## Opportunities

found = { $found ->
    [0] { $accounts ->
        [1] semmi sem tűnik ki: amit az ügyfélről tudunk, nem indokol érezhető változtatást
       *[other] semmi sem tűnik ki: amit { $accounts } ügyfélről tudunk, nem indokol érezhető változtatást
    }
   *[other] { $accounts ->
        [1] { $found } dolog tűnik ki abból, amit az ügyfélről tudunk
       *[other] { $found } dolog tűnik ki abból, amit { $accounts } ügyfélről tudunk
    }
}
asks = { $lever ->
    [answer_faster] gyorsabb válasz és a kérések elintézése
    [settle_conflict] a vita rendezése az ügyfél megelégedésére
    [keep_commitment] az ígéret betartása vagy új megállapodás
    [reduce_corrections] segítség, hogy a rendelés elsőre sikerüljön
    [meet_need] az igény teljesítése
    [contact_customer] az ügyfél megkeresése és segítség felajánlása
    [counter_offer] ellenajánlat
   *[deliver_on_time] pontos szállítás
}{ $best ->
    [yes] , mint az elmúlt év legjobb negyedévében
   *[no] { "" }
}: { $finding }
lapses = { $lever ->
    [answer_faster] { $count } válasz vagy megoldás késett vagy elmaradt
    [reduce_corrections] { $count } rendelés csak többszöri próbálkozással vagy javítással sikerült
   *[deliver_on_time] { $count } szállítás késett
} az elmúlt fél évben
open = { $lever ->
    [answer_faster] { $count } ügy még nyitott
    [reduce_corrections] { $count } rendelés még helyesbítésre vár
    [settle_conflict] { $count } vita nyitott
    [meet_need] { $count } kimondott igény nincs teljesítve
    [counter_offer] { $count } versenytársi ajánlat nyitott, és van esély ellenajánlatra
    [keep_commitment] { $count } ígéret határideje lejárt
   *[deliver_on_time] { $count } szállítás határideje lejárt
}
soon = { $count } ígéret határideje két héten belül lejár
silent = { $days } napja nincs rendelés, pedig korábban { $gap } naponta jött egy
aim = { $signal }: a cél { SIGNED($goal) } a mostani { SIGNED($now) } helyett, -1 és +1 közötti skálán.
aim-of-quarter = { $signal }: a cél { SIGNED($goal) } a mostani { SIGNED($now) } helyett, -1 és +1 közötti skálán; így volt ebben az időszakban: { $from } – { $to }
gain-orders = { $days } napon belül a rendelési napok várható változása { SIGNED($value) } (95%-os intervallum: { SIGNED($low) } és { SIGNED($high) } között).
gain-spend = A költés várható változása ezalatt { $value } (95%-os intervallum: { $low } és { $high } között).
gain-kept = Az ügyfél értékéből { $value } többlet maradna meg, ha egy versenytárs ajánlatot tenne (95%-os intervallum: { $low } és { $high } között).
rests-on = Alapja: { $sources }{ $more ->
    [0] { "" }
   *[other] { " " }és még { $more }
}.

## Names

stage-awareness = ismerkedés
stage-exploration = kipróbálás
stage-expansion = bővülés
stage-commitment = elköteleződés
stage-dissolution = felbomlás

cause-new = új esemény
cause-corrected = helyesbítés
cause-withdrawn = visszavonás
cause-time = az idő múlása
cause-model = a modell változása

emotion-joy = öröm
emotion-trust = bizalom
emotion-fear = félelem
emotion-surprise = meglepetés
emotion-sadness = szomorúság
emotion-disgust = undor
emotion-anger = harag
emotion-anticipation = várakozás

lever-deliver_on_time = pontos szállítás
lever-answer_faster = gyorsabb válasz
lever-settle_conflict = a vita rendezése
lever-keep_commitment = az ígéret betartása
lever-reduce_corrections = kevesebb javítás
lever-meet_need = az igény teljesítése
lever-contact_customer = az ügyfél megkeresése
lever-counter_offer = ellenajánlat

signal-customer_tone = az ügyfél szavainak hangneme
signal-customer_reply_speed = az ügyfél válaszainak gyorsasága
signal-customer_initiative = az ügyfél által kezdeményezett kapcsolatfelvételek
signal-customer_meeting = találkozók az ügyféllel
signal-contact_breadth = hányan vesznek részt az ügyfél részéről
signal-interaction_satisfaction = elégedettség a beszélgetésekkel
signal-delivery_promise = szállítások az ígért határidőhöz képest
signal-provider_commitment = a szolgáltató betartott vagy megszegett ígéretei
signal-resolution = megoldott vagy nyitva maradt problémák
signal-conflict = viták
signal-settlement = a viták rendezése
signal-first_contact = az első értékesítési kapcsolatok
signal-onboarding = a bevezetés lépései
signal-policy_satisfaction = az ügyfél véleménye a szabályokról és a méltányosságról
signal-order_rhythm = rendelések a várthoz képest
signal-ordering = leadott rendelések
signal-cancellation = az ügyfél által lemondott rendelések
signal-departure = a fiók lezárása
signal-offer_outcome = a versenytársak elutasított vagy elfogadott ajánlatai
signal-recommendation = ajánlási hajlandóság
signal-offer_disclosure = a versenytársak megosztott vagy eltitkolt ajánlatai
signal-advocacy = dicséretek és ajánlások
signal-placing_attempts = hány próbálkozás kell egy rendelés leadásához
signal-placing_corrections = javítások a rendelés leadása közben
signal-placing_time = a rendelés leadásához szükséges idő
signal-delivery_on_time = időben érkezett szállítások
signal-delivery_complete = hiánytalan szállítások
signal-delivery_undamaged = sértetlen szállítások
signal-delivery_papers = hibátlan papírokkal érkezett szállítások
signal-effort = az ügyfél által említett fáradság
signal-contacts_to_resolve = hány megkeresés kell egy probléma megoldásához
signal-savings = az ügyfél megtakarítása
signal-fulfilment = teljesített és megtartott rendelések
signal-need_met = teljesített igények
signal-product_satisfaction = elégedettség a termékekkel
signal-outcome_stated = az ügyfél által említett eredmények
signal-provider_tone = a szolgáltató szavainak hangneme
signal-provider_response_time = a szolgáltató válaszainak gyorsasága
signal-provider_initiative = a szolgáltató által kezdeményezett kapcsolatfelvételek
signal-payment_on_time = fizetések a határidőhöz képest
signal-customer_commitment = az ügyfél betartott vagy megszegett ígéretei
signal-fair_returns = a visszaküldés méltányos használata
signal-terms_granted = az ügyfélnek adott feltételek
signal-concession = engedmények és elsőbbség
signal-proactive_contact = kérés nélkül felajánlott segítség
signal-stayed_through_trouble = kitartás az ügyfél mellett a bajban
signal-counter_offer = megtett ellenajánlatok, ha volt rá esély
signal-support_load = mennyi támogatást igényel az ügyfél
signal-order_corrections = mennyi javítást igényelnek az ügyfél rendelései
signal-return_effort = a visszaküldések okozta munka
signal-margin = a rendelések árrése
signal-spend = az ügyfél költése
signal-referral = az általa hozott új ügyfelek
signal-idea_given = az ügyfél ötletei
signal-customer_assurance = bizalom, félelem és harag az ügyfél szavaiban
signal-provider_assurance = bizalom, félelem és harag a szolgáltató szavaiban
signal-rival_mention = amit az ügyfél a versenytársakról mond

feature-days-since-the-last-order = az utolsó rendelés óta eltelt napok
feature-days-since-the-first-order = az első rendelés óta eltelt napok
feature-repeat-orders = ismételt rendelések
feature-days-from-the-first-order-to-the-last = az első és az utolsó rendelés között eltelt napok
feature-mean-gap-between-orders = a rendelések közötti átlagos szünet
feature-spread-of-gaps-between-orders = a rendelések közötti szünetek szórása
feature-silence-against-the-mean-gap = a csend hossza az átlagos szünethez képest
feature-silence-against-the-longest-gap = a csend hossza a leghosszabb szünethez képest
feature-orders-in-the-last-14-days = rendelések az elmúlt 14 napban
feature-orders-in-the-last-28-days = rendelések az elmúlt 28 napban
feature-orders-in-the-last-56-days = rendelések az elmúlt 56 napban
feature-orders-in-the-last-91-days = rendelések az elmúlt 91 napban
feature-pace-of-the-last-28-days-against-the-usual = az elmúlt 28 nap üteme a szokásoshoz képest
feature-pace-of-the-last-91-days-against-the-usual = az elmúlt 91 nap üteme a szokásoshoz képest
feature-trend-of-orders-over-two-quarters = a rendelések alakulása két negyedév alatt
feature-repeat-orders-per-week = ismételt rendelések hetente
feature-share-of-the-time-silent-since-the-last-order = az utolsó rendelés óta tartó csend aránya
feature-spend-in-the-last-91-days = költés az elmúlt 91 napban
feature-mean-spend-of-an-order = egy rendelés átlagos értéke
feature-spend-of-the-last-order = az utolsó rendelés értéke
feature-greatest-spend-of-an-order = a legnagyobb rendelés értéke
feature-spend-so-far = az eddigi költés
feature-spend-per-week = heti költés
feature-rapport-as-the-customer-sees-it = közvetlenség az ügyfél szemében
feature-trust-as-the-customer-sees-it = bizalom az ügyfél szemében
feature-loyalty-as-the-customer-sees-it = lojalitás az ügyfél szemében
feature-ease-as-the-customer-sees-it = kényelem az ügyfél szemében
feature-value-as-the-customer-sees-it = haszon az ügyfél szemében
feature-rapport-as-the-provider-sees-it = közvetlenség a szolgáltató szemében
feature-trust-as-the-provider-sees-it = bizalom a szolgáltató szemében
feature-loyalty-as-the-provider-sees-it = lojalitás a szolgáltató szemében
feature-ease-as-the-provider-sees-it = kényelem a szolgáltató szemében
feature-value-as-the-provider-sees-it = haszon a szolgáltató szemében
feature-movement-of-the-customers-rapport = az ügyfél közvetlenségének változása
feature-movement-of-the-customers-trust = az ügyfél bizalmának változása
feature-movement-of-the-customers-loyalty = az ügyfél lojalitásának változása
feature-movement-of-the-customers-ease = az ügyfél kényelmének változása
feature-movement-of-the-customers-value = az ügyfél hasznának változása
feature-movement-of-the-providers-rapport = a szolgáltató közvetlenségének változása
feature-movement-of-the-providers-trust = a szolgáltató bizalmának változása
feature-movement-of-the-providers-loyalty = a szolgáltató lojalitásának változása
feature-movement-of-the-providers-ease = a szolgáltató kényelmének változása
feature-movement-of-the-providers-value = a szolgáltató hasznának változása
feature-confidence-of-the-customers-view = mennyire biztos az ügyfél képe
feature-confidence-of-the-providers-view = mennyire biztos a szolgáltató képe
feature-contacts-by-the-customer = az ügyfél megkeresései
feature-contacts-by-the-provider = a szolgáltató megkeresései
feature-share-of-spend-returned = a költésből visszaküldött rész
feature-share-of-the-list-price-saved = a listaárhoz képest megtakarított rész
feature-share-of-orders-cancelled = a lemondott rendelések aránya
feature-open-matters = nyitott ügyek
feature-general-level-of-recent-time = az utóbbi idő általános szintje
feature-forecast-of-the-activity-model = a rendelési modell becslése
feature-at-least-as-many-orders-as-the-chance-of-one = legalább annyi rendelés, amennyi egynek az esélye
feature-bound-of-certainty = a bizonyosság határa
