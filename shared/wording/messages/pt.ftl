### What is told in Portuguese, in words that serve on both sides of the Atlantic; figures have the form of `pt`. See en.ftl.

## Forms

date = { $day } de { $month ->
    [1] janeiro
    [2] fevereiro
    [3] março
    [4] abril
    [5] maio
    [6] junho
    [7] julho
    [8] agosto
    [9] setembro
    [10] outubro
    [11] novembro
   *[12] dezembro
} de { $year }
money = { $currency }{ "\u00A0" }{ $amount }
and = { $first } e { $last }
facet-of = { $facet ->
    [rapport] { $party ->
        [provider] a sintonia do fornecedor
       *[customer] a sintonia do cliente
    }
    [trust] { $party ->
        [provider] a confiança do fornecedor
       *[customer] a confiança do cliente
    }
    [loyalty] { $party ->
        [provider] a lealdade do fornecedor
       *[customer] a lealdade do cliente
    }
    [ease] { $party ->
        [provider] a facilidade para o fornecedor
       *[customer] a facilidade para o cliente
    }
   *[value] { $party ->
        [provider] o valor para o fornecedor
       *[customer] o valor para o cliente
    }
}
the-bond = o vínculo

## An assessment

standing = O vínculo é de { $bond } em 100 (intervalo de 95%: { $low } a { $high }), { $way ->
    [rising] em alta de { $points ->
        [one] { $points } ponto
       *[other] { $points } pontos
    } por trimestre
    [falling] em queda de { $points ->
        [one] { $points } ponto
       *[other] { $points } pontos
    } por trimestre
   *[steady] estável
}; a relação está na fase de { $stage }.
nothing-known = Ainda nada se sabe: todas as pontuações são o ponto de partida do modelo.
equally-close = As duas partes estão igualmente próximas.
closer = { $party ->
    [provider] O fornecedor está { $points ->
        [one] { $points } ponto
       *[other] { $points } pontos
    } mais próximo do que o cliente: { $near } contra { $far }.
   *[customer] O cliente está { $points ->
        [one] { $points } ponto
       *[other] { $points } pontos
    } mais próximo do que o fornecedor: { $near } contra { $far }.
}
exposed = { $party ->
    [provider] O fornecedor está exposto: a confiança que dá supera a que recebe em { $points ->
        [one] { $points } ponto
       *[other] { $points } pontos
    }.
   *[customer] O cliente está exposto: a confiança que dá supera a que recebe em { $points ->
        [one] { $points } ponto
       *[other] { $points } pontos
    }.
}
reason = { $signal }{ $count ->
    [0] { "" }
    [one] { " " }({ $count } ocorrência)
   *[other] { " " }({ $count } ocorrências)
}: { $of } { SIGNED($points) } { $points ->
    [one] ponto
   *[other] pontos
}, o vínculo { SIGNED($bond_points) }.
ordered = { $count ->
    [1] Houve um único pedido, em { $last }.
   *[other] Houve { $count } pedidos, o primeiro em { $first }, o último em { $last }.
}
worth = O que resultou até agora: { $amounts }.
worth-of = { $what ->
    [savings] { $amount } poupados pelo cliente
    [margin] { $amount } ganhos pelo fornecedor
    [returned] { $amount } devolvidos
   *[spend] { $amount } gastos pelo cliente
}
emotions = { $party ->
    [provider] O que o fornecedor diz mostra { $emotions }.
   *[customer] O que o cliente diz mostra { $emotions }.
}
share-of-emotion = { $emotion } ({ $share }%)

## A comparison

still = { $tense ->
    [conditional] O vínculo continuaria em { $at }.
   *[past] O vínculo continua em { $at }.
}
moved = { $subject } { $tense ->
    [conditional] { $way ->
        [up] subiria
       *[down] cairia
    }
   *[past] { $way ->
        [up] subiu
       *[down] caiu
    }
} { $points ->
    [one] { $points } ponto
   *[other] { $points } pontos
}, de { $from } para { $to }.
moved-stage = { $tense ->
    [conditional] A relação passaria da fase de { $from } para a de { $to }.
   *[past] A relação passou da fase de { $from } para a de { $to }.
}
because = { $cause ->
    [time] A passagem do tempo
    [balance] A mudança de peso entre os fatos conhecidos
   *[model] A mudança de modelo
}: o vínculo { SIGNED($points) } { $points ->
    [one] ponto
   *[other] pontos
}.
change = { $signal } ({ $how ->
    [corrected] corrigido,{ " " }
    [withdrawn] retirado,{ " " }
   *[new] { "" }
}{ $source }): { $of } { SIGNED($points) } { $points ->
    [one] ponto
   *[other] pontos
}, o vínculo { SIGNED($bond_points) }.
chance-moved = { $days ->
    [one] Em { $days } dia
   *[other] Em { $days } dias
}, a probabilidade de um pedido seria de { $to }% em vez de { $from }%.

## What a watcher is told

nobody-exposed = Nenhuma das partes continua exposta.
exposed-now = { $party ->
    [provider] O fornecedor está agora exposto: dá mais confiança do que recebe.
   *[customer] O cliente está agora exposto: dá mais confiança do que recebe.
}
comes-from = Motivo: { $causes }{ $more ->
    [0] { $source ->
        [none] { "" }
       *[other] : { $source }
    }
   *[other] : { $source } e mais { $more }
}.

## A prediction

no-fit = Não há previsão dos pedidos: ainda nada se aprendeu com a carteira de clientes.
no-orders = Não há previsão dos pedidos: o cliente ainda não fez nenhum.
closed = Não há previsão: a conta foi encerrada.
ahead = { $days ->
    [one] Em { $days } dia
   *[other] Em { $days } dias
}, o cliente faz um pedido com uma probabilidade de { $chance }% (intervalo de 95%: { $chance_low }% a { $chance_high }%), em { $order_days } dias ({ $order_days_low } a { $order_days_high }).
spending = Deverá gastar { $spend } nesse período (intervalo de 95%: { $low } a { $high }).
lifetime = Tudo o que ainda vier a gastar vale hoje { $value } (intervalo de 95%: { $low } a { $high }), com um desconto de { $discount }% ao ano.
by-orders = Só pelos pedidos, essa probabilidade seria de { $chance }%.
raises = O que mais a aumenta: { $features }.
lowers = O que mais a diminui: { $features }.
position = { $position ->
    [exposed] A oferta de um concorrente provavelmente levaria o cliente, e o fornecedor provavelmente não seria consultado.
    [contestable] A oferta de um concorrente poderia levar o cliente, mas o fornecedor provavelmente teria a oportunidade de fazer uma contraproposta.
    [resilient] O cliente provavelmente ficaria apesar da oferta de um concorrente, mesmo sem contraproposta.
    [beyond_competition] O cliente ficaria quase com certeza, ofereça um concorrente o que oferecer.
   *[unknown] Sabe-se muito pouco para dizer o que faria a oferta de um concorrente.
}
rivals = Com uma probabilidade de { $counter }%, o fornecedor teria a oportunidade de responder à oferta de um concorrente; o cliente ficaria com uma probabilidade de { $stay }% sem contraproposta e de { $countered }% com ela{ $cases ->
    [0] , segundo o que se supõe de antemão
    [one] , segundo o aprendido com { $cases } oferta
   *[other] , segundo o aprendido com { $cases } ofertas
}.

## Opportunities

found = { $found ->
    [0] nada se destaca: o que se sabe { $accounts ->
        [1] do cliente
       *[other] de { $accounts } clientes
    } não sustenta nenhuma mudança que se fizesse sentir
    [1] destaca-se uma coisa no que se sabe { $accounts ->
        [1] do cliente
       *[other] de { $accounts } clientes
    }
   *[other] destacam-se { $found } coisas no que se sabe { $accounts ->
        [1] do cliente
       *[other] de { $accounts } clientes
    }
}
asks = { $lever ->
    [answer_faster] responder mais depressa e resolver o que é pedido
    [settle_conflict] resolver o conflito a contento do cliente
    [keep_commitment] cumprir a promessa ou combinar outra
    [reduce_corrections] ajudar para que os pedidos saiam certos na primeira vez
    [meet_need] atender à necessidade
    [contact_customer] entrar em contato e oferecer ajuda
    [counter_offer] fazer uma contraproposta
   *[deliver_on_time] entregar no prazo
}{ $best ->
    [yes] , como no melhor trimestre do último ano
   *[no] { "" }
}: { $finding }
lapses = { $lever ->
    [answer_faster] { $count ->
        [one] { $count } resposta ou solução demorou ou faltou
       *[other] { $count } respostas ou soluções demoraram ou faltaram
    }
    [reduce_corrections] { $count ->
        [one] { $count } pedido exigiu várias tentativas ou correções
       *[other] { $count } pedidos exigiram várias tentativas ou correções
    }
   *[deliver_on_time] { $count ->
        [one] { $count } entrega atrasou
       *[other] { $count } entregas atrasaram
    }
} no último semestre
open = { $lever ->
    [answer_faster] { $count ->
        [one] { $count } assunto continua em aberto
       *[other] { $count } assuntos continuam em aberto
    }
    [reduce_corrections] { $count ->
        [one] { $count } pedido ainda está por corrigir
       *[other] { $count } pedidos ainda estão por corrigir
    }
    [settle_conflict] { $count ->
        [one] { $count } conflito está em aberto
       *[other] { $count } conflitos estão em aberto
    }
    [meet_need] { $count ->
        [one] { $count } necessidade expressa não foi atendida
       *[other] { $count } necessidades expressas não foram atendidas
    }
    [counter_offer] { $count ->
        [one] { $count } oferta de um concorrente está em aberto, com oportunidade de contraproposta
       *[other] { $count } ofertas de concorrentes estão em aberto, com oportunidade de contraproposta
    }
    [keep_commitment] { $count ->
        [one] { $count } promessa está fora do prazo
       *[other] { $count } promessas estão fora do prazo
    }
   *[deliver_on_time] { $count ->
        [one] { $count } entrega está atrasada
       *[other] { $count } entregas estão atrasadas
    }
}
soon = { $count ->
    [one] { $count } promessa vence dentro de duas semanas
   *[other] { $count } promessas vencem dentro de duas semanas
}
silent = nenhum pedido há { $days } dias, quando vinha um a cada { $gap } dias
aim = { $signal }: o objetivo é { SIGNED($goal) } em vez de { SIGNED($now) }, numa escala de -1 a +1.
aim-of-quarter = { $signal }: o objetivo é { SIGNED($goal) } em vez de { SIGNED($now) }, numa escala de -1 a +1; foi assim de { $from } a { $to }.
gain-orders = { $days ->
    [one] Em { $days } dia
   *[other] Em { $days } dias
}, isso traria { SIGNED($value) } dias com pedidos (intervalo de 95%: { SIGNED($low) } a { SIGNED($high) }).
gain-spend = Isso traria { $value } em gastos nesse período (intervalo de 95%: { $low } a { $high }).
gain-kept = Do valor do cliente, mais { $value } seria mantido se um concorrente fizesse uma oferta (intervalo de 95%: { $low } a { $high }).
rests-on = Baseia-se em { $sources }{ $more ->
    [0] { "" }
   *[other] { " " }e mais { $more }
}.

## Names

stage-awareness = conhecimento
stage-exploration = exploração
stage-expansion = expansão
stage-commitment = compromisso
stage-dissolution = dissolução

cause-new = algo novo
cause-corrected = uma correção
cause-withdrawn = algo retirado
cause-time = a passagem do tempo
cause-model = uma mudança de modelo

emotion-joy = alegria
emotion-trust = confiança
emotion-fear = medo
emotion-surprise = surpresa
emotion-sadness = tristeza
emotion-disgust = aversão
emotion-anger = raiva
emotion-anticipation = expectativa

lever-deliver_on_time = entregar no prazo
lever-answer_faster = responder mais depressa
lever-settle_conflict = resolver o conflito
lever-keep_commitment = cumprir a promessa
lever-reduce_corrections = reduzir as correções
lever-meet_need = atender à necessidade
lever-contact_customer = contatar o cliente
lever-counter_offer = fazer uma contraproposta

signal-customer_tone = o tom do que o cliente diz
signal-customer_reply_speed = a rapidez com que o cliente responde
signal-customer_initiative = contatos iniciados pelo cliente
signal-customer_meeting = reuniões com o cliente
signal-contact_breadth = quantas pessoas do cliente participam
signal-interaction_satisfaction = satisfação com as conversas
signal-delivery_promise = entregas em relação à data prometida
signal-provider_commitment = compromissos do fornecedor, cumpridos ou quebrados
signal-resolution = problemas resolvidos ou deixados em aberto
signal-conflict = conflitos
signal-settlement = como os conflitos foram resolvidos
signal-first_contact = os primeiros contatos de venda
signal-onboarding = as etapas da integração
signal-policy_satisfaction = o que o cliente diz das regras e da justiça no trato
signal-order_rhythm = pedidos em relação ao esperado
signal-ordering = pedidos feitos
signal-cancellation = pedidos cancelados pelo cliente
signal-departure = o encerramento da conta
signal-offer_outcome = ofertas de concorrentes recusadas ou aceitas
signal-recommendation = disposição para recomendar
signal-offer_disclosure = ofertas de concorrentes reveladas ou ocultadas
signal-advocacy = elogios e recomendações
signal-placing_attempts = tentativas necessárias para fazer um pedido
signal-placing_corrections = correções necessárias ao fazer um pedido
signal-placing_time = o tempo que leva fazer um pedido
signal-delivery_on_time = entregas no prazo
signal-delivery_complete = entregas completas
signal-delivery_undamaged = entregas sem danos
signal-delivery_papers = entregas com os documentos certos
signal-effort = o esforço que o cliente relata
signal-contacts_to_resolve = contatos necessários para resolver um problema
signal-savings = o que o cliente poupa
signal-fulfilment = pedidos atendidos e não devolvidos
signal-need_met = necessidades atendidas
signal-product_satisfaction = satisfação com os produtos
signal-outcome_stated = resultados que o cliente relata
signal-provider_tone = o tom do que o fornecedor diz
signal-provider_response_time = a rapidez com que o fornecedor responde
signal-provider_initiative = contatos iniciados pelo fornecedor
signal-payment_on_time = pagamentos em relação ao vencimento
signal-customer_commitment = compromissos do cliente, cumpridos ou quebrados
signal-fair_returns = uso justo das devoluções
signal-terms_granted = condições concedidas ao cliente
signal-concession = concessões e prioridade dadas
signal-proactive_contact = ajuda oferecida antes de ser pedida
signal-stayed_through_trouble = apoio ao cliente nas dificuldades
signal-counter_offer = contrapropostas feitas quando houve oportunidade
signal-support_load = apoio de que o cliente precisa
signal-order_corrections = correções que os pedidos do cliente exigem
signal-return_effort = o trabalho que as devoluções dão
signal-margin = a margem dos pedidos
signal-spend = o que o cliente gasta
signal-referral = clientes trazidos por este
signal-idea_given = ideias que o cliente deu
signal-customer_assurance = confiança, medo e raiva no que o cliente diz
signal-provider_assurance = confiança, medo e raiva no que o fornecedor diz
signal-rival_mention = o que o cliente diz dos concorrentes

feature-days-since-the-last-order = dias desde o último pedido
feature-days-since-the-first-order = dias desde o primeiro pedido
feature-repeat-orders = pedidos repetidos
feature-days-from-the-first-order-to-the-last = dias do primeiro ao último pedido
feature-mean-gap-between-orders = intervalo médio entre pedidos
feature-spread-of-gaps-between-orders = variação dos intervalos entre pedidos
feature-silence-against-the-mean-gap = silêncio em relação ao intervalo médio
feature-silence-against-the-longest-gap = silêncio em relação ao maior intervalo
feature-orders-in-the-last-14-days = pedidos nos últimos 14 dias
feature-orders-in-the-last-28-days = pedidos nos últimos 28 dias
feature-orders-in-the-last-56-days = pedidos nos últimos 56 dias
feature-orders-in-the-last-91-days = pedidos nos últimos 91 dias
feature-pace-of-the-last-28-days-against-the-usual = ritmo dos últimos 28 dias em relação ao habitual
feature-pace-of-the-last-91-days-against-the-usual = ritmo dos últimos 91 dias em relação ao habitual
feature-trend-of-orders-over-two-quarters = tendência dos pedidos em dois trimestres
feature-repeat-orders-per-week = pedidos repetidos por semana
feature-share-of-the-time-silent-since-the-last-order = parte do tempo em silêncio desde o último pedido
feature-spend-in-the-last-91-days = gastos nos últimos 91 dias
feature-mean-spend-of-an-order = gasto médio por pedido
feature-spend-of-the-last-order = gasto do último pedido
feature-greatest-spend-of-an-order = maior gasto em um pedido
feature-spend-so-far = gastos até agora
feature-spend-per-week = gastos por semana
feature-rapport-as-the-customer-sees-it = sintonia na visão do cliente
feature-trust-as-the-customer-sees-it = confiança na visão do cliente
feature-loyalty-as-the-customer-sees-it = lealdade na visão do cliente
feature-ease-as-the-customer-sees-it = facilidade na visão do cliente
feature-value-as-the-customer-sees-it = valor na visão do cliente
feature-rapport-as-the-provider-sees-it = sintonia na visão do fornecedor
feature-trust-as-the-provider-sees-it = confiança na visão do fornecedor
feature-loyalty-as-the-provider-sees-it = lealdade na visão do fornecedor
feature-ease-as-the-provider-sees-it = facilidade na visão do fornecedor
feature-value-as-the-provider-sees-it = valor na visão do fornecedor
feature-movement-of-the-customers-rapport = evolução da sintonia do cliente
feature-movement-of-the-customers-trust = evolução da confiança do cliente
feature-movement-of-the-customers-loyalty = evolução da lealdade do cliente
feature-movement-of-the-customers-ease = evolução da facilidade para o cliente
feature-movement-of-the-customers-value = evolução do valor para o cliente
feature-movement-of-the-providers-rapport = evolução da sintonia do fornecedor
feature-movement-of-the-providers-trust = evolução da confiança do fornecedor
feature-movement-of-the-providers-loyalty = evolução da lealdade do fornecedor
feature-movement-of-the-providers-ease = evolução da facilidade para o fornecedor
feature-movement-of-the-providers-value = evolução do valor para o fornecedor
feature-confidence-of-the-customers-view = segurança da visão do cliente
feature-confidence-of-the-providers-view = segurança da visão do fornecedor
feature-contacts-by-the-customer = contatos do cliente
feature-contacts-by-the-provider = contatos do fornecedor
feature-share-of-spend-returned = parte dos gastos devolvida
feature-share-of-the-list-price-saved = parte do preço de tabela poupada
feature-share-of-orders-cancelled = parte dos pedidos cancelados
feature-open-matters = assuntos em aberto
feature-general-level-of-recent-time = nível geral dos últimos tempos
feature-forecast-of-the-activity-model = previsão do modelo de atividade
feature-at-least-as-many-orders-as-the-chance-of-one = pelo menos tantos pedidos quanto a probabilidade de um
feature-bound-of-certainty = limite da certeza
