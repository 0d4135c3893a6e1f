-- The aggregator's own picture of what the four services told it.

-- How far each feed has been followed. Moves in the same transaction as what was learned.
create table followed (
    feed text not null,
    feed_partition bigint not null,
    position bigint not null,
    constraint followed_key primary key (feed, feed_partition)
);

-- Every version of every resource that says something of an account. The evidence is a pure function of the document,
-- so the document is what is kept: current and superseded evidence follow from it.
create table sources (
    tenant text not null,
    -- The account that the resource itself names, before any merge.
    account text not null,
    -- The resource name; for a referral, 'referrals/' and the account that was brought.
    source text not null,
    version bigint not null,
    kind text not null,
    happened_at bigint not null,
    recorded_at bigint not null,
    -- When the next version was recorded; null for the current one.
    superseded_at bigint,
    -- When the resource was deleted or erased; null while it stands.
    deleted_at bigint,
    document bytea not null,
    constraint sources_key primary key (tenant, account, source, version)
);

-- The timeline, latest first.
create index sources_timeline on sources (tenant, account, happened_at, source)
where superseded_at is null and deleted_at is null;

-- Duplicates, and the account that answers for them.
create table merges (
    tenant text not null,
    account text not null,
    into_account text not null,
    constraint merges_key primary key (tenant, account)
);

create index merges_into on merges (tenant, into_account);

-- The sums from which an account is assessed at any time.
create table ledgers (
    tenant text not null,
    account text not null,
    -- ISO 4217, of the account's orders; empty while there are none.
    currency text not null,
    document bytea not null,
    constraint ledgers_key primary key (tenant, account)
);

-- Each account's assessment as it stood at assessed_at, for lists that filter and order.
create table standings (
    tenant text not null,
    account text not null,
    assessed_at bigint not null,
    stage text not null,
    bond double precision not null,
    gap double precision not null,
    trust_gap double precision not null,
    confidence double precision not null,
    velocity double precision not null,
    customer_index double precision not null,
    customer_index_confidence double precision not null,
    customer_index_velocity double precision not null,
    customer_rapport double precision not null,
    customer_rapport_confidence double precision not null,
    customer_rapport_velocity double precision not null,
    customer_trust double precision not null,
    customer_trust_confidence double precision not null,
    customer_trust_velocity double precision not null,
    customer_loyalty double precision not null,
    customer_loyalty_confidence double precision not null,
    customer_loyalty_velocity double precision not null,
    customer_ease double precision not null,
    customer_ease_confidence double precision not null,
    customer_ease_velocity double precision not null,
    customer_value double precision not null,
    customer_value_confidence double precision not null,
    customer_value_velocity double precision not null,
    provider_index double precision not null,
    provider_index_confidence double precision not null,
    provider_index_velocity double precision not null,
    provider_rapport double precision not null,
    provider_rapport_confidence double precision not null,
    provider_rapport_velocity double precision not null,
    provider_trust double precision not null,
    provider_trust_confidence double precision not null,
    provider_trust_velocity double precision not null,
    provider_loyalty double precision not null,
    provider_loyalty_confidence double precision not null,
    provider_loyalty_velocity double precision not null,
    provider_ease double precision not null,
    provider_ease_confidence double precision not null,
    provider_ease_velocity double precision not null,
    provider_value double precision not null,
    provider_value_confidence double precision not null,
    provider_value_velocity double precision not null,
    constraint standings_key primary key (tenant, account)
);

create index standings_assessed on standings (assessed_at);

-- What the stored ledgers were made with; where it differs from the program, they are made again.
create table settings (
    name text not null,
    value text not null,
    constraint settings_key primary key (name)
);
