#!/bin/sh
exec deploy vm --build-in docker "$@"
