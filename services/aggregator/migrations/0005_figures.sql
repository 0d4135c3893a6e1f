-- Ledgers and standings lie in the order of their accounts, without an index of their own, so that a transaction that writes
-- many of them in that order visits each page once. The figures of a standing are one document instead of a column each:
-- lists filter and order by them in memory, and a row of few columns is written several times as fast. There is no index by
-- age any more: it was the only one that every change of an account moved.

create table ledgers_in_order (
    tenant text not null,
    account text not null,
    -- ISO 4217, of the account's orders; empty while there are none.
    currency text not null,
    document bytea not null,
    -- Of the account that answers, as its resource says; empty while there is none or it stands no more.
    segment text not null default '',
    constraint ledgers_in_order_key primary key (tenant, account)
) without rowid;

insert into ledgers_in_order (tenant, account, currency, document, segment)
select tenant, account, currency, document, segment from ledgers order by tenant, account;

drop table ledgers;

alter table ledgers_in_order rename to ledgers;

create table standings_in_order (
    tenant text not null,
    account text not null,
    assessed_at bigint not null,
    -- The id of the model that it was made with.
    model text not null,
    stage text not null,
    -- Eight bytes each, in the program's order; null in rows that are older than this table. Such rows are made again: to
    -- that end their assessed_at is 0.
    figures bytea,
    -- The movement that was logged last of the account, and why it may have moved since; null in rows that are older than
    -- the log.
    last_movement bytea,
    constraint standings_in_order_key primary key (tenant, account)
) without rowid;

insert into standings_in_order (tenant, account, assessed_at, model, stage, last_movement)
select tenant, account, 0, model, stage, last_movement from standings order by tenant, account;

drop table standings;

alter table standings_in_order rename to standings;
