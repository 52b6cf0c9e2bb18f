# Makes what the DVC room holds in a fresh lab: three versions of a dataset, the
# pipeline that makes it, and the remotes that all of it was pushed to. Each file,
# and so each object and commit, is the same whenever it is made.
#
# usage: dvc_seed.sh FOLDER
# shellcheck shell=bash
set -euo pipefail

folder=$(realpath "$1")
export DVC_NO_ANALYTICS=1 DVC_GLOBAL_CONFIG_DIR=$folder/none DVC_SYSTEM_CONFIG_DIR=$folder/none DVC_SITE_CACHE_DIR=$folder/site
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 LC_ALL=C
export GIT_AUTHOR_NAME='Trading team' GIT_AUTHOR_EMAIL=team@trading.example
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL

bars() { # bars MONTH: one an hour, a pure function of its time
	awk -v month="$1" 'BEGIN {
		for (day = 1; day <= 28; day++)
			for (hour = 8; hour < 20; hour++)
				printf "2026-%02d-%02dT%02d:00:00Z,USDCOP,%.2f\n", month, day, hour, 4000 + 60 * sin(month * 28 + day + hour / 24)
	}'
}

commit() { # commit MONTH MESSAGE
	dvc repro --quiet
	git add --all
	GIT_AUTHOR_DATE="2026-$1-28T20:00:00Z" GIT_COMMITTER_DATE="2026-$1-28T20:00:00Z" git commit --quiet -m "$2"
	git tag "good-2026-$1"
	dvc push --quiet --remote seed
}

mkdir -p "$folder/git" "$folder/storage"
for name in origin backup; do
	git init --quiet --bare --initial-branch=main "$folder/git/$name.git"
done
git init --quiet --initial-branch=main "$folder/trading"
cd "$folder/trading"
git config user.name "$GIT_AUTHOR_NAME"
git config user.email "$GIT_AUTHOR_EMAIL"
git remote add origin "$folder/git/origin.git"
git remote add backup "$folder/git/backup.git"
dvc init --quiet
cat >.dvc/config <<-'TEXT'
	[core]
	    remote = minio
	    autostage = false
	['remote "minio"']
	    url = s3://dvc-storage
	['remote "s3_backup"']
	    url = s3://s3-backup
TEXT
printf "['remote \"seed\"']\n    url = %s\n" "$folder/storage" >.dvc/config.local

mkdir -p data/macro data/pipeline/01_raw data/pipeline/02_clean data/pipeline/07_output/datasets_5min
cat >dvc.yaml <<-'TEXT'
	stages:
	  clean:
	    cmd: sort -u data/pipeline/01_raw/bars.csv > data/pipeline/02_clean/bars.csv
	    deps:
	      - data/pipeline/01_raw/bars.csv
	    outs:
	      - data/pipeline/02_clean/bars.csv
	  dataset:
	    cmd: cat data/pipeline/02_clean/bars.csv data/macro/*.csv > data/pipeline/07_output/datasets_5min/RL_DS3_MACRO_CORE.csv
	    deps:
	      - data/macro
	      - data/pipeline/02_clean/bars.csv
	    outs:
	      - data/pipeline/07_output/datasets_5min/RL_DS3_MACRO_CORE.csv
TEXT
for month in 01 02 03; do
	bars "$month" >>data/pipeline/01_raw/bars.csv
	for series in dxy brent ust10y vix; do
		echo "2026-$month,$series,$((10#$month * 100 + ${#series}))" >"data/macro/${series}_2026_$month.csv"
	done
	dvc add --quiet data/macro data/pipeline/01_raw/bars.csv
	commit "$month" "Data of 2026-$month"
done

# The objects of the present version, without those of the earlier ones.
mv .dvc/cache "$folder/cache"
dvc fetch --quiet --remote seed
(cd .dvc/cache && find files/md5 -type f | sort) >"$folder/present"
rm -rf .dvc/cache
mv "$folder/cache" .dvc/cache

git push --quiet --tags origin main
git push --quiet --tags backup main
git branch --quiet --set-upstream-to=origin/main main
rm -rf .dvc/config.local .dvc/tmp "$folder/site"
