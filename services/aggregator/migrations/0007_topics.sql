-- What the tenants' feedback asks for as a whole: themes and improvements, as the feedback service told them last.
create table topics (
    tenant text not null,
    -- 'theme' or 'improvement'.
    kind text not null,
    -- The resource name.
    topic text not null,
    version bigint not null,
    -- When the resource was deleted; null while it stands.
    deleted_at bigint,
    document bytea not null,
    constraint topics_key primary key (tenant, kind, topic)
);

-- They were passed over so far: the feed is heard again from its beginning. What is known of it already changes nothing.
delete from followed where feed = 'feedback';

-- What customers say, of all accounts of a tenant, latest first.
create index sources_words on sources (tenant, happened_at, account, source)
where superseded_at is null and deleted_at is null and kind in ('interaction', 'feedback');
