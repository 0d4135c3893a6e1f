//! Whole texts: what goes, and what stays.

use std::borrow::Cow;

use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest};

use super::{OWN_WORDS_LIMIT, clean};

fn own(text: &str) -> String {
    clean(text).text().to_owned()
}

#[track_caller]
fn stays(text: &str) {
    let cleaned = clean(text);
    assert_eq!(cleaned.text(), text);
    assert!(matches!(cleaned.text, Cow::Borrowed(_)), "copied");
}

#[track_caller]
fn becomes(text: &str, expected: &str) {
    assert_eq!(own(text).trim(), expected, "of {text:?}");
}

#[test]
fn prose_stays_as_it_is() {
    stays("");
    stays("Just a line.");
    stays("I <3 it, 3 < 5 && 5 > 3, a<b, x -> y, AT&T and R&D; <ann@example.com>; <name>, if (a <b) and <!");
    stays("He wrote: it is late.\nOn that day she wrote:\nnothing.\n");
    stays("From: what I see, it works.\nTo: be or not.\nFine.");
    stays("On Monday 5 May 2025 at 10:03 he wrote that it works\nand so do I.");
    stays("On 12 May 2025 at 10:03 I wrote to you about this:\nno answer.");
    stays("Op 5 mei 2025 om 10:03 schreef ik u al:\nhet is kapot.");
    stays("Op 5 mei 2025 schreef u:\nhet is kapot.");
    stays("> 5 days late, and no answer.\nI want my money.");
    stays(">:( never again\nThe end.");
    stays("Kedves Ügyfélszolgálat!\r\nNem működik a & jel.\r\n");
    stays("This email was helpful, it answered everything I wanted to know about the product and more.\n\nReally.");
    stays(
        "Is this email confidential? I would like to know before I send you my contract and all that is in it.\n\nOk.",
    );
    stays("Sent from my office last week, the parcel never arrived at the phone shop.\nWhere is it?");
    stays("The best\nregards are those of friends who come by.\nDo come.");
    stays("Thanks\nfor nothing, it broke.");
    stays("Well -- no.\n--- see below ---\nThere.");
}

#[test]
fn html_becomes_plain() {
    becomes(
        "<p>Hello <b>Ann</b>,</p><p>it&#39;s <a href=\"https://a.example/?x>y\">late</a>.</p>",
        "Hello Ann,\nit's late.",
    );
    becomes("<style>p { color: red }</style>Hi<br/>there<script>if (a < b) { x() }</script>", "Hi\nthere");
    becomes("<html><head><title>T</title></head><body>Sz&eacute;p &amp; j&oacute;</body></html>", "Szép & jó");
    becomes("a<!-- b -->c", "ac");
    becomes("<td>a</td><td>b</td>", "a b");
    becomes("Yes.<blockquote>No?<blockquote>Who?</blockquote></blockquote>Sure.", "Yes.\nSure.");
    becomes("we write <script> and <!-- and <blockquote> by hand", "we write \n and <!-- and \n by hand");
    becomes("&lt;b&gt; stays, &bogus; too, &#xd800; &", "<b> stays, &bogus; too, &#xd800; &");
}

#[test]
fn quoted_replies_go() {
    becomes(
        "I agree.\n\nOn Mon, 5 May 2025 at 10:03, Ann <ann@a.example> wrote:\n> Do you?\n>> He does.\n",
        "I agree.",
    );
    becomes("I agree.\nOn Mon, 5 May 2025 at 10:03, Ann\n<ann@a.example> wrote:\nDo you?\nReally?", "I agree.");
    becomes("On 5 May 2025, Ann <ann@a.example> wrote:\n> Do you?\nI do.\n> And he?\nHe too.", "I do.\nHe too.");
    becomes("Akkor jó.\nKis Éva <eva@a.example> ezt írta (időpont: 2025. máj. 5., H, 10:03):\n> Jó így?", "Akkor jó.");
    becomes("Prima.\nOp ma 5 mei 2025 om 10:03 schreef Jan <jan@a.example>:\n> Goed zo?", "Prima.");
    becomes("Ótimo.\nEm seg., 5 de mai. de 2025 às 10:03, Rui <rui@a.example> escreveu:\n\n> Assim?", "Ótimo.");
    becomes("Fine.\n\n-----Original Message-----\nFrom: Ann\nSent: Monday\n\nIs it?", "Fine.");
    becomes("Rendben.\n\n-------- Eredeti üzenet --------\nJó?", "Rendben.");
    becomes(
        "Goed.\n________________________________\nVan: Jan\nVerzonden: maandag\nAan: Piet\nOnderwerp: Zo?\n\nZo?",
        "Goed.",
    );
    becomes("Sim.\n\n*De:* Rui\n*Enviado:* segunda-feira\n*Para:* Ana\n*Assunto:* Assim?\n\nAssim?", "Sim.");
    becomes("Jó.\nFeladó: Éva\nElküldve: hétfő\nCímzett: Pál\nTárgy: Jó?\nJó?", "Jó.");
    becomes("<div>Ok.</div><div><b>From:</b> Ann<br><b>Sent:</b> now<br><b>To:</b> Bob</div><p>Is it?</p>", "Ok.");
    // At the top it is the message's own.
    becomes("From: Ann\nSent: Monday\nTo: Bob\nSubject: It\n\nIt is late.", "It is late.");
    becomes("> all of it\n> is quoted", "");
    becomes("> hello", "");
}

#[test]
fn signatures_go() {
    becomes("It broke.\n-- \nAnn Lee\n+1 555 0100", "It broke.");
    becomes("It broke.\n\nSent from my iPhone", "It broke.");
    becomes("Kapot.\n\nVerzonden vanaf mijn iPad", "Kapot.");
    becomes("Partiu.\n\nEnviado do meu iPhone\n", "Partiu.");
    becomes("Elromlott.\n\nElküldve az iPhone-omról", "Elromlott.");
    becomes("It broke.\nGet Outlook for Android<https://a.example/x>", "It broke.");
    becomes(
        "It broke.\n\nBest regards,\nAnn Lee\nHead of Sales\nAcme Ltd.\nT: +1 555 0100 22\nwww.acme.example",
        "It broke.",
    );
    becomes("It broke. Help!\n\nKind regards, Ann", "It broke. Help!");
    becomes("Kapot.\n\nMet vriendelijke groet,\n\nJan de Vries", "Kapot.");
    becomes("Elromlott.\nÜdvözlettel:\nKis Éva", "Elromlott.");
    becomes("Partiu.\nAtenciosamente,\nRui da Silva\nrui@a.example", "Partiu.");
    becomes("Fix it.\nThanks,\nAnn", "Fix it.\nThanks,");
    becomes(
        "Kapot.\n\nMet vriendelijke groet / Kind regards,\n\nPiet Jansen\nT 020 - 123 45 67 | E piet@a.example",
        "Kapot.",
    );
    becomes("Elromlott.\n\nÜdvözlettel,\nNagy Béla\nügyvezető\nTel.: +36 30 123 4567", "Elromlott.");
    // There is nothing else, or what follows is no contact.
    stays("Cheers\n");
    stays("Best regards,\nand fix it soon, I am tired of waiting for you.\n");
}

#[test]
fn disclaimers_go() {
    let english = "This e-mail and any attachments are confidential and intended solely for the addressee.\nIf you have \
                   received this in error, delete it.";
    let hungarian = "Ez az üzenet bizalmas, kizárólag a címzettnek szól. Ha tévedésből kapta meg, kérjük, törölje.";
    let dutch =
        "Dit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde. Openbaarmaking is niet toegestaan.";
    let portuguese =
        "Esta mensagem é confidencial e destina-se exclusivamente ao seu destinatário. A divulgação é proibida.";
    for disclaimer in [english, hungarian, dutch, portuguese] {
        becomes(&format!("It broke.\n\n{disclaimer}\n\nHelp."), "It broke.\n\nHelp.");
        becomes(&format!("It broke.\n\nBest regards,\nAnn\n\n{disclaimer}\n"), "It broke.");
    }
    becomes("Late.\n\nPlease consider the environment before printing this e-mail.", "Late.");
}

#[test]
fn places_are_found_in_the_original() {
    let text = "> q\n<p>Sz&eacute;p &amp; <i>jó</i></p>\nOn 5 May 2025, Ann <a@b.example> wrote:\n> x";
    let cleaned = clean(text);
    assert_eq!(cleaned.text().trim(), "Szép & jó");
    for (own, original) in
        [("Szép", "Sz&eacute;p"), ("&", "&amp;"), ("jó", "jó"), ("é", "&eacute;"), ("p & j", "p &amp; <i>j")]
    {
        let start = cleaned.text().find(own).unwrap();
        assert_eq!(&text[cleaned.original(start..start + own.len())], original);
    }
    assert_eq!(cleaned.original(1000..2000).len(), 0);
}

#[test]
fn own_words_stop_at_the_limit() {
    let long = "é".repeat(OWN_WORDS_LIMIT);
    let cleaned = clean(&long);
    assert!(cleaned.is_cut() && cleaned.text().len() == OWN_WORDS_LIMIT);
    let odd = format!("a{long}");
    assert_eq!(clean(&odd).text().len(), OWN_WORDS_LIMIT - 1);
    let lines = "Some words.\n> quoted\n".repeat(OWN_WORDS_LIMIT);
    let cleaned = clean(&lines);
    assert!(cleaned.is_cut() && cleaned.text().len() == OWN_WORDS_LIMIT);
    assert!(!clean("Some words.\n").is_cut());
}

/// None of these may take time that grows with the square of the length: it would be minutes each.
#[test]
fn a_megabyte_of_anything_is_read() {
    for piece in [
        "<",
        "&",
        ">",
        "\n",
        "<a",
        "<a ",
        "<a \"",
        "<a href=\"",
        "</",
        "<!--",
        "<!",
        "<script>",
        "<style><title>",
        "</p",
        "<blockquote>",
        "<blockquote></blockquote",
        "&#",
        "&amp",
        "&a;",
        "&amp;",
        "> ",
        ">\n",
        "> a\nb\n",
        "\n\na\n",
        "--\n",
        "-- \n",
        "From: \n",
        "From: a\nTo: b\n",
        "a:\n",
        "On 1 wrote:\n",
        "On 1 1:00 a@b wrote\n",
        "Best\n",
        "Thanks,\nA\n",
        "This message is confidential ",
        "\r\n",
        "a",
        " ",
        "é",
        "Sent from my \n",
        "<td>",
        "\u{feff}",
    ] {
        let len = if piece.len() == 1 { 1 << 20 } else { 1 << 18 };
        let text = piece.repeat(len / piece.len());
        let cleaned = clean(&text);
        assert!(cleaned.text().len() <= OWN_WORDS_LIMIT, "{piece:?}");
    }
}

/// Texts of pieces that mean something.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<",
        ">",
        "&",
        "&amp;",
        "&#8217;",
        "&eacute;",
        "<p>",
        "</p>",
        "<br/>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "\n",
        "\r\n",
        "\n\n",
        "> ",
        "-- \n",
        "--\n",
        "On 5 May 2025, a@b.example wrote:\n",
        "From: a\nSent: b\nTo: c\n",
        "Best regards,\n",
        "Ann Lee\n",
        "Thanks\n",
        "It broke. ",
        "Nem jó. ",
        "é",
        "😀",
        "\u{301}",
        "<blockquote>",
        "</blockquote>",
        "\u{feff}",
        " ",
        "\"",
        "=\"",
        "Sent from my iPhone\n",
        "-----Original Message-----\n",
    ]);
    let other = any::<String>();
    prop::collection::vec(prop::strategy::Union::new([piece.prop_map(str::to_owned).boxed(), other.boxed()]), 0..40)
        .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_place_is_a_place_of_the_original(text in pieces(), one in 0_usize..400, two in 0_usize..400) {
        let cleaned = clean(&text);
        prop_assert!(cleaned.text().len() <= OWN_WORDS_LIMIT);
        let place = cleaned.original(one.min(two)..one.max(two));
        prop_assert!(text.get(place).is_some());
        // Every character comes from somewhere, in order, and without markup it is the same one there.
        let mut last = 0;
        for (start, letter) in cleaned.text().char_indices() {
            let place = cleaned.original(start..start + letter.len_utf8());
            prop_assert!(!place.is_empty() && place.start >= last);
            last = place.start;
            let original = &text[place];
            prop_assert!(original.starts_with(letter) || original.starts_with(['<', '&']));
        }
        prop_assert_eq!(clean(&text), cleaned);
    }

    #[test]
    fn plain_lines_are_cleaned_once(text in "([a-zé ,.!?]{0,20}\n?){0,20}") {
        let once = own(&text);
        prop_assert_eq!(own(&once), once);
    }
}
