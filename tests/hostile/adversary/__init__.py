"""An adversary: trials at random against files, disks, processes, signals, objects, arrays and requests.

    PYTHONPATH=tests python -m hostile.adversary --minutes 60 --seed 1

`trials.py` is what a trial is, `worker.py` the process that makes trials, `campaign.py` the choice of trials and what
counts as a break. Each other file is one kind of trial.
"""
