#!/bin/bash
# crowd.sh COMMAND...: with the settings of MPI that the tests run with (mot_crowd in launch/env.sh).
# shellcheck source=launch/env.sh
. "$(dirname "$0")/../../launch/env.sh"
mot_crowd
exec "$@"
