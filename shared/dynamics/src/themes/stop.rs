//! Words that say nothing of what a text is about: no theme begins or ends with one.
//!
//! Our own lists of function words and of what every text of a customer has (please, thanks, again),
//! in lower case and without accents. Negations are on them too: "not delivered" is told as
//! "delivered", with its feeling beside it.

use std::collections::HashSet;

use super::words::hash;

/// The share of texts above which a word of a language without a list says nothing.
pub(super) const EVERYWHERE: f64 = 0.2;

const ENGLISH: &str = "\
    a about above after again against ago all almost already also although always am an and another any \
    anybody anyone anything are arent around as ask asked at away back be because been before being best \
    better between both but by came can cannot cant come could couldnt day days dear did didnt do does doesnt \
    doing done dont each either else even ever every everything few first for from further get gets getting \
    give given go goes going gone good got great had has hasnt have havent having he hello her here hers hes \
    hi him his how however i id if ill im in into is isnt it its ive just keep kind know last least less let \
    like little look lot made make makes many may maybe me might more most much must my need needs never new \
    next no nobody none nor not nothing now of off often ok okay on once one only onto or other our ours out \
    over own per perhaps please put quite rather re really regards right said same say says see seem seems \
    several shall she should shouldnt since so some somebody someone something soon still such sure take takes \
    tell than thank thanks that thats the their theirs them then there theres these they theyre thing things \
    think this those though through time times to today together told tomorrow too took two under until up \
    upon us use used very via want wanted wants was wasnt way we week weeks well went were werent weve what \
    whats when where which while who whole whom why will with within without wont would wouldnt year years yes \
    yesterday yet you your youre yours youve month months";

const HUNGARIAN: &str = "\
    a abba abban abbol addig ahhoz ahogy ahol aki akik akinek akit akkor ala alatt altal altalaban am ami amig \
    amik amikor amit amely amelyek amelyet annak annal annyi annyira arra arrol attol aval avval az azert azok \
    azokat azon azonban azota azt aztan azzal bar barki barmi be belul benne biztos bizony csak de e eddig \
    egesz egy egyes egyaltalan egyeb egyet egyik egymas egyre egyszer ehhez el eleg ellen elo eloszor elott en \
    ennek ennel ennyi erre errol es esetleg ettol ez ezek ezeket ezen ezert ezt ezutan ezzel fel fele felett \
    ha hanem hany hat hello hogy hogyan hol honap hova i ide igen igy ilyen ilyenkor inkabb is ismet itt jo \
    jobb jol kell kellett kellene kerem keressek ki kivul kivan koszonom koszonettel koszi kozben kozott kozul \
    le legalabb legyen lehet lehetett lenne lesz lett ma majd maga magat maguk mar mas masik maskor meg megint \
    mekkora mellett mely melyik mennyi mert mi miatt mikor milyen minden mindenki mindent mindig mint mintha \
    mit mivel moge mogott most na nagy nagyobb nagyon nagyot nala nalam nap napja ne neha nekem neki nekik \
    nekunk nelkul nem nincs o oda ok oket olyan on onok onnan ott ossze persze pedig per rajta ra rank regen \
    reggel s sajat se sem semmi sok sokat soha sokkal sot szamara szemben szerint szinte szivesen ta tegnap \
    tehat teljesen tisztelt tobb tobbet toluk tovabb tovabba tul udv udvozlettel ugy ugyan ugyanis ugye uj \
    ujra utan utana utolso vagy vagyis vagyok vagyunk van vannak valaki valami valamint valo veluk vele velem \
    velunk viszont vissza volna volt voltak voltam voltunk hete het ev eve evek te ti miert ahelyett alig \
    korulbelul egyetlen";

const DUTCH: &str = "\
    aan achter af al alle alleen alles als altijd ander andere anders bedankt beetje ben beste beter bij bijna \
    bijvoorbeeld binnen blijft boven buiten daar daarna daarom dag dagen dan dank dat de deze dezelfde die dit \
    doe doen doet door dus echt echter een eens eerst eerste eigen eigenlijk elk elke en enige enkele er erg \
    ergens even ga gaan gaat geen geeft gedaan gegaan gegeven gehad geven geweest gewoon geworden goed goede \
    graag groet groeten haar had hadden hallo heb hebben hebt heeft heel hele helemaal hen het hier hij hoe \
    hun iedereen ieder iedere iemand iets ik in inmiddels is ja jaar jammer je jij jou jouw jullie kan keer \
    komen komt kon konden krijg krijgen krijgt kun kunnen kunt laatste langs liet maak maand maanden maar \
    maken maakt mag meer mee meest men met mij mijn minder misschien moest moet moeten mogen na naar naast net \
    niemand niet niets nieuwe nieuw nog nogmaals nooit nu of om omdat onder ons onze ook op opnieuw over paar \
    pas per precies s sinds soms staat steeds te tegen ten ter terug terwijl tijd tijdens toch toe toen tot \
    tussen twee u uit uw vaak van vandaag vanaf veel ver verder via vind vinden vindt vol volgens voor vooral \
    voordat vorige waar waarom wanneer want waren was wat we week weken weer wel welke werd werden weet weg \
    wie wij wil willen wilt worden wordt wou zal ze zeer zeg zeggen zegt zei zelf zich zij zijn zo zoals zodat \
    zonder zou zouden zullen ging gingen nee helaas";

const PORTUGUESE: &str = "\
    a acho agora ai ainda alem algo alguem algum alguma algumas alguns ali amanha ano anos ante antes ao aos \
    apenas apos aquela aquelas aquele aqueles aqui aquilo as assim ate atraves bastante bem boa boas bom bons \
    cada caso com como comigo conosco conforme contra cuja cujo da dai daquele das de dela dele deles demais \
    depois desde dessa desse desta deste deve devem deveria dia dias disse disso disto do dois dos duas \
    durante e ela elas ele eles em embora enquanto entao entre era eram essa essas esse esses esta estamos \
    estao estar estas estava estavam este esteja estes estive esteve estou eu faz fazem fazendo fazer feita \
    feito fez fiquei ficou foi fora foram fosse fui grande ha hoje hora horas ir isso isto ja la lhe lhes lo \
    logo mais mas me mes meses mesma mesmo meu meus mim minha minhas muita muitas muito muitos na nada nao \
    naquele nas nele nem nenhum nenhuma nessa nesse nesta neste ninguem no nos nossa nossas nosso nossos nova \
    novamente novo num numa nunca o obrigada obrigado ok ola onde ontem os ou outra outras outro outros para \
    parece pela pelas pelo pelos per perto pode podem poder poderia pois por porem porque pouca pouco pra \
    praticamente pro primeira primeiro quais qual qualquer quando quanto quase que quem quer quero saber se \
    seja sem semana semanas sempre sendo senhor ser sera seria seu seus si sido sim so sob sobre sou sua suas \
    tal talvez tambem tanta tanto tao te tem temos tenha tenho tentei ter teria teu teve tinha tive tipo toda \
    todas todo todos tudo tu um uma umas uns uso vai vao varias varios ver vez vezes vir voce voces vos vou vc \
    ta to ne pq gente";

/// The words of a language that say nothing, by their hashes; none if there is no list for it.
pub(super) fn words(language: &str) -> Option<HashSet<u64>> {
    let list = match language {
        "en" => ENGLISH,
        "hu" => HUNGARIAN,
        "nl" => DUTCH,
        "pt" => PORTUGUESE,
        _ => return None,
    };
    Some(list.split_whitespace().map(hash).collect())
}

#[cfg(test)]
mod tests {
    use super::super::words::fold;
    use super::*;

    #[test]
    fn lists_are_of_folded_words() {
        let mut folded = String::new();
        for list in [ENGLISH, HUNGARIAN, DUTCH, PORTUGUESE] {
            for word in list.split_whitespace() {
                fold(word, &mut folded);
                assert_eq!(word, folded);
            }
        }
        assert!(words("pt").unwrap().contains(&hash("nao")));
        assert!(words("fr").is_none());
    }
}
