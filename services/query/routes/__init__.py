"""The read door's routes: read the question, take one snapshot, let the core answer, tell it."""

from fastapi import APIRouter, Depends

from services.query.conditional import Conditional
from services.query.repository import Repository
from services.query.routes import cases, parcels, parties, records, stream, system, units
from services.query.routes.asking import only_known_parameters
from services.query.stream import Streams


def router(repository: Repository, build: str) -> APIRouter:
    """Every route of the read door over one repository. `build` is the version that it tells of itself."""
    streams = Streams(repository)
    routes = APIRouter(
        dependencies=[Depends(only_known_parameters)], route_class=Conditional, lifespan=streams.lifespan
    )
    parcels.add(routes, repository)
    units.add(routes, repository)
    records.add(routes, repository)
    cases.add(routes, repository)
    parties.add(routes, repository)
    stream.add(routes, streams)
    system.add(routes, repository, build)
    return routes
