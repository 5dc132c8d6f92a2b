"""Tables as queries name them: columns and their types. Keys, checks and indexes stand in the migrations."""

from sqlalchemy import MetaData

metadata = MetaData()
