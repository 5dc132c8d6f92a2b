-- The three roles of the shop; what they may do is granted by the migrations.
CREATE ROLE commerce_owner LOGIN PASSWORD 'dev-owner';
CREATE ROLE commerce_app LOGIN PASSWORD 'dev-app';
CREATE ROLE commerce_readonly LOGIN PASSWORD 'dev-readonly';
CREATE DATABASE commerce OWNER commerce_owner;
REVOKE ALL ON DATABASE commerce FROM PUBLIC;
GRANT CONNECT ON DATABASE commerce TO commerce_app, commerce_readonly;
