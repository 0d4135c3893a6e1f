-- The figures of a standing as one document instead of a column each: lists filter and order by them in memory, and a row
-- of few columns is written several times as fast.

create table standings_in_one (
    tenant text not null,
    account text not null,
    assessed_at bigint not null,
    -- With which model it was made.
    model text not null,
    stage text not null,
    -- Eight bytes each, in the program's order; null in rows that are older than this table. Such rows are made again: to
    -- that end their assessed_at is 0.
    figures bytea,
    -- The movement that was logged last of the account, and why it may have moved since; null in rows that are older than
    -- the log.
    last_movement bytea,
    constraint standings_in_one_key primary key (tenant, account)
);

insert into standings_in_one (tenant, account, assessed_at, model, stage, last_movement)
select tenant, account, 0, model, stage, last_movement from standings;

drop table standings;

alter table standings_in_one rename to standings;

create index standings_assessed on standings (assessed_at);
