#!/bin/sh
exec deploy iso "$@"
